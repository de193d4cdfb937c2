//! Whose message one is, when many series share a socket.
//!
//! Pure. The data of a series begins with a token: a random number that all series of the socket share, plus the place
//! of the series. So a reply names its series by itself, and nobody who has not seen a request can make one up.

use std::collections::HashMap;
use std::net::IpAddr;

use crate::net::PingRequest;

/// Length of the token at the start of the data.
const TOKEN: usize = 8;

/// The series of one socket.
#[derive(Debug)]
pub(super) struct Roll {
    first_token: u64,
    payloads: Vec<usize>,
    by_target: HashMap<IpAddr, Vec<usize>>,
}

impl Roll {
    /// The series that `requests` describe; `random` is the token of the first one.
    pub(super) fn new(random: u64, requests: &[PingRequest]) -> Self {
        let mut by_target: HashMap<IpAddr, Vec<usize>> = HashMap::with_capacity(requests.len());
        for (index, request) in requests.iter().enumerate() {
            by_target.entry(request.target).or_default().push(index);
        }
        Self { first_token: random, payloads: requests.iter().map(|request| request.payload).collect(), by_target }
    }

    /// The data of a series' requests.
    pub(super) fn data(&self, index: usize) -> Vec<u8> {
        data(self.token(index), self.payloads.get(index).copied().unwrap_or_default())
    }

    /// The series that sent these data. Data too short for a token prove little, so then they must come from the
    /// target; else they may come from another address of it, as `ping` has it.
    pub(super) fn whose(&self, data: &[u8], from: Option<IpAddr>) -> Option<usize> {
        match self.by_token(data) {
            Some(index) => self.is_data_of(index, data).then_some(index),
            None => self.of_target(from?).iter().copied().find(|&index| self.is_data_of(index, data)),
        }
    }

    /// The series that an error is about which quotes these data: perhaps none of them, in which case it may be about
    /// every series to that target.
    pub(super) fn quoted(&self, data: &[u8], target: Option<IpAddr>) -> Vec<usize> {
        let to_target = |index: &usize| target.is_none_or(|target| self.of_target(target).contains(index));
        match self.by_token(data) {
            Some(index) => Some(index).filter(to_target).into_iter().collect(),
            None => match target {
                Some(target) => self.of_target(target).to_vec(),
                None if self.payloads.len() == 1 => vec![0],
                None => Vec::new(),
            },
        }
    }

    fn token(&self, index: usize) -> u64 {
        self.first_token.wrapping_add(index as u64)
    }

    /// The series whose token stands at the start.
    fn by_token(&self, data: &[u8]) -> Option<usize> {
        let (token, _) = data.split_first_chunk::<TOKEN>()?;
        let place = u64::from_be_bytes(*token).wrapping_sub(self.first_token);
        usize::try_from(place).ok().filter(|&place| place < self.payloads.len())
    }

    fn is_data_of(&self, index: usize, found: &[u8]) -> bool {
        let payload = self.payloads.get(index).copied().unwrap_or_default();
        payload == found.len() && bytes(self.token(index)).take(payload).eq(found.iter().copied())
    }

    fn of_target(&self, target: IpAddr) -> &[usize] {
        self.by_target.get(&target).map(Vec::as_slice).unwrap_or_default()
    }
}

fn data(token: u64, payload: usize) -> Vec<u8> {
    bytes(token).take(payload).collect()
}

/// The token, then the numbers that `ping` fills its packets with.
fn bytes(token: u64) -> impl Iterator<Item = u8> {
    token.to_be_bytes().into_iter().chain((0..=u8::MAX).cycle().skip(TOKEN))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::net::Fragments;

    fn to(target: &str, payload: usize) -> PingRequest {
        let second = Duration::from_secs(1);
        let (target, fragments) = (target.parse().unwrap(), Fragments::Allowed);
        PingRequest { target, count: 1, interval: second, timeout: second, payload, fragments }
    }

    fn roll() -> Roll {
        // The tokens of the later ones wrap.
        let requests =
            [to("10.0.0.1", 56), to("10.0.0.2", 56), to("10.0.0.2", 56), to("10.0.0.3", 4), to("10.0.0.4", 4)];
        Roll::new(u64::MAX, &requests)
    }

    fn from(address: &str) -> IpAddr {
        address.parse().unwrap()
    }

    #[test]
    fn a_reply_names_its_series_even_from_another_address() {
        let roll = roll();
        for index in 0..3 {
            let data = roll.data(index);
            assert_eq!(roll.whose(&data, Some(from("10.9.9.9"))), Some(index));
            assert_eq!(roll.whose(&data, None), Some(index));
        }
    }

    #[test]
    fn changed_data_are_nobodys() {
        let roll = roll();
        let mut data = roll.data(1);
        assert_eq!(roll.whose(&data[..55], Some(from("10.0.0.2"))), None);
        data[50] ^= 1;
        assert_eq!(roll.whose(&data, Some(from("10.0.0.2"))), None);
        let stranger = Roll::new(7, &[to("10.0.0.1", 56)]);
        assert_eq!(roll.whose(&stranger.data(0), Some(from("10.0.0.1"))), None);
    }

    #[test]
    fn data_without_room_for_a_token_must_come_from_the_target() {
        let roll = roll();
        assert_eq!(roll.whose(&roll.data(3), Some(from("10.0.0.3"))), Some(3));
        assert_eq!(roll.whose(&roll.data(4), Some(from("10.0.0.4"))), Some(4));
        assert_eq!(roll.whose(&roll.data(4), Some(from("10.9.9.9"))), None);
    }

    #[test]
    fn an_error_is_about_the_series_that_it_quotes_or_about_all_to_its_target() {
        let roll = roll();
        assert_eq!(roll.quoted(&roll.data(2), Some(from("10.0.0.2"))), [2]);
        assert_eq!(roll.quoted(&roll.data(2), Some(from("10.0.0.1"))), [0; 0], "it went another way than it says");
        assert_eq!(roll.quoted(&[], Some(from("10.0.0.2"))), [1, 2]);
        assert_eq!(roll.quoted(&[], None), [0; 0]);
        assert_eq!(Roll::new(1, &[to("10.0.0.1", 56)]).quoted(&[], None), [0]);
    }
}

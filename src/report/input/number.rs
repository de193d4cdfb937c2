//! Decimal numbers of cells, exact: thousandths as integers. Pure.

/// The largest number that is taken for a measurement: milliseconds of eleven days, seconds of thirty years. Ten million
/// of them add up in a `u64` of microseconds.
pub(super) const LARGEST: u64 = 1_000_000_000;

/// A number without a sign, with three decimals at most (zeros may follow), in thousandths; `None`: it is none, or larger
/// than [`LARGEST`].
pub(super) fn thousandths(cell: &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    let mut at = 0;
    while let Some(digit) = digit_at(cell, at) {
        value = value * 10 + digit;
        if value > LARGEST {
            return None;
        }
        at += 1;
    }
    if at == 0 {
        return None;
    }
    value *= 1000;
    if at < cell.len() {
        if cell[at] != b'.' || at + 1 == cell.len() {
            return None;
        }
        let mut worth = 100;
        for &byte in &cell[at + 1..] {
            let digit = u64::from(byte.wrapping_sub(b'0'));
            if digit > 9 || (worth == 0 && digit > 0) {
                return None;
            }
            value += digit * worth;
            worth /= 10;
        }
    }
    (value <= LARGEST * 1000).then_some(value)
}

/// A whole number without a sign; `None`: it is none, or larger than [`LARGEST`].
pub(super) fn whole(cell: &[u8]) -> Option<u32> {
    let thousandths = thousandths(cell)?;
    if cell.contains(&b'.') { None } else { u32::try_from(thousandths / 1000).ok() }
}

fn digit_at(cell: &[u8], at: usize) -> Option<u64> {
    let digit = u64::from(cell.get(at)?.wrapping_sub(b'0'));
    (digit <= 9).then_some(digit)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn decimals_are_exact_thousandths() {
        for (cell, expected) in [
            ("0", 0),
            ("12.346", 12_346),
            ("12.3", 12_300),
            ("0.05", 50),
            ("007", 7000),
            ("33.333", 33_333),
            ("1.500000", 1500),
            ("1000000000", 1_000_000_000_000),
            ("1000000000.000", 1_000_000_000_000),
        ] {
            assert_eq!(thousandths(cell.as_bytes()), Some(expected), "{cell}");
        }
    }

    #[test]
    fn what_is_no_measurement_is_none() {
        for cell in [
            "",
            ".",
            "1.",
            ".5",
            "-1",
            "+1",
            "nan",
            "inf",
            "1e999",
            "1e3",
            "0x10",
            "1,5",
            " 1",
            "1 ",
            "1.2345",
            "1.2.3",
            "1000000000.001",
            "1000000001",
            "1000000000000000000000000000000",
            "99999999999999999999999999",
            "١",
            "1\0",
        ] {
            assert_eq!(thousandths(cell.as_bytes()), None, "{cell}");
            assert_eq!(whole(cell.as_bytes()), None, "{cell}");
        }
        assert_eq!(whole(b"1.0"), None);
        assert_eq!(whole(b"3"), Some(3));
    }

    proptest! {
        #[test]
        fn what_the_prober_writes_is_read_to_the_last_digit(micros in 0..=LARGEST * 1000) {
            let text = format!("{}.{:03}", micros / 1000, micros % 1000);
            prop_assert_eq!(thousandths(text.as_bytes()), Some(micros));
            let short = text.trim_end_matches('0').trim_end_matches('.');
            prop_assert_eq!(thousandths(short.as_bytes()), Some(micros));
        }

        #[test]
        fn no_cell_makes_it_panic(cell in prop::collection::vec(any::<u8>(), 0..40)) {
            let _ = (thousandths(&cell), whole(&cell));
        }
    }
}

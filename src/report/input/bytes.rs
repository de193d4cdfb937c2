//! Where the commas are in 64 bytes, and whether there is anything unusual. Pure.
//!
//! Two ways that say the same: by the vectors that every x86-64 processor has (SSE2), and by machine words for any other.

/// What is in 64 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    /// Bit `i`: byte `i` is a comma.
    pub(super) commas: u64,
    /// A byte is a control character or not ASCII.
    pub(super) odd: bool,
}

#[cfg(target_arch = "x86_64")]
pub(super) use vectors::find;
#[cfg(not(target_arch = "x86_64"))]
pub(super) use words::find;

#[cfg(target_arch = "x86_64")]
mod vectors {
    use std::arch::x86_64::{
        __m128i, _mm_cmpeq_epi8, _mm_cmplt_epi8, _mm_movemask_epi8, _mm_or_si128, _mm_set_epi64x, _mm_set1_epi8,
        _mm_setzero_si128,
    };

    use super::Found;

    #[expect(unsafe_code, reason = "the compiler wants it said that the processor has SSE2")]
    pub(in super::super) fn find(bytes: &[u8; 64]) -> Found {
        // SAFETY: SSE2 is part of x86-64 itself.
        unsafe { find_by_sse2(bytes) }
    }

    #[target_feature(enable = "sse2")]
    fn find_by_sse2(bytes: &[u8; 64]) -> Found {
        let (lanes, _) = bytes.as_chunks::<16>();
        let mut commas = 0;
        let mut odd = _mm_setzero_si128();
        for (number, lane) in lanes.iter().enumerate() {
            let lane = load(lane);
            commas |= mask(_mm_cmpeq_epi8(lane, _mm_set1_epi8(b','.cast_signed()))) << (16 * number);
            // As signed numbers, what is not ASCII is below zero.
            let below = _mm_cmplt_epi8(lane, _mm_set1_epi8(b' '.cast_signed()));
            let delete = _mm_cmpeq_epi8(lane, _mm_set1_epi8(0x7f));
            odd = _mm_or_si128(odd, _mm_or_si128(below, delete));
        }
        Found { commas, odd: mask(odd) != 0 }
    }

    #[target_feature(enable = "sse2")]
    fn load(lane: &[u8; 16]) -> __m128i {
        let both = u128::from_le_bytes(*lane).cast_signed();
        #[expect(clippy::cast_possible_truncation, reason = "its low and its high half")]
        _mm_set_epi64x((both >> 64) as i64, both as i64)
    }

    /// The high bit of each lane.
    #[target_feature(enable = "sse2")]
    fn mask(lanes: __m128i) -> u64 {
        u64::from(_mm_movemask_epi8(lanes).cast_unsigned())
    }
}

#[cfg(any(test, not(target_arch = "x86_64")))]
mod words {
    use super::Found;

    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x80 * ONES;
    const LOW: u64 = 0x7f * ONES;
    const COMMAS: u64 = b',' as u64 * ONES;
    const BLANKS: u64 = b' ' as u64 * ONES;
    /// Times the lowest bit of each byte, the highest byte has them side by side.
    const GATHER: u64 = 0x0102_0408_1020_4080;

    pub(in super::super) fn find(bytes: &[u8; 64]) -> Found {
        let (words, _) = bytes.as_chunks::<8>();
        let mut found = Found { commas: 0, odd: false };
        for (number, word) in words.iter().enumerate() {
            let word = u64::from_le_bytes(*word);
            found.commas |= (((commas(word) >> 7).wrapping_mul(GATHER)) >> 56) << (8 * number);
            found.odd |= unusual(word) != 0;
        }
        found
    }

    /// The high bit of every byte that is a comma.
    const fn commas(word: u64) -> u64 {
        let zero_where_comma = word ^ COMMAS;
        !(((zero_where_comma & LOW) + LOW) | zero_where_comma) & HIGH
    }

    /// Not 0 when a byte is a control character or not ASCII. (Which one can't be told: carries and borrows run on.)
    const fn unusual(word: u64) -> u64 {
        (word.wrapping_sub(BLANKS) | word.wrapping_add(ONES) | word) & HIGH
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn naive(bytes: &[u8; 64]) -> Found {
        let bit = |(number, byte): (usize, &u8)| u64::from(*byte == b',') << number;
        Found {
            commas: bytes.iter().enumerate().map(bit).sum(),
            odd: bytes.iter().any(|byte| byte.is_ascii_control() || !byte.is_ascii()),
        }
    }

    #[test]
    fn every_byte_at_every_place_is_seen_for_what_it_is() {
        for place in 0..64 {
            for byte in 0..=255 {
                let mut bytes = [b'x'; 64];
                bytes[place] = byte;
                assert_eq!(find(&bytes), naive(&bytes), "{byte:#x} at {place}");
                assert_eq!(words::find(&bytes), naive(&bytes), "{byte:#x} at {place}, by words");
            }
        }
    }

    proptest! {
        #[test]
        fn both_ways_say_what_is_there(bytes in prop::collection::vec(any::<u8>(), 64), commas in any::<u64>()) {
            let mut all = [0; 64];
            for (place, (own, byte)) in all.iter_mut().zip(bytes).enumerate() {
                *own = if commas >> place & 1 == 1 { b',' } else { byte };
            }
            prop_assert_eq!(find(&all), naive(&all));
            prop_assert_eq!(words::find(&all), naive(&all));
        }
    }
}

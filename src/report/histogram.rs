//! Counts of values in buckets whose width is less than a thousandth of their values: small, exact to add up, and the
//! same whichever way they were added up.
//!
//! Values below 2048 have a bucket each. Above, every doubling has 1024 buckets, so a bucket is at most 1/1024 of its
//! values wide; its middle is at most 0.049 % from any of them. (The layout of `HdrHistogram`, hdrhistogram.org, with
//! eleven bits.)

use serde::{Deserialize, Serialize};

/// Of the buckets of a doubling.
const STEP_BITS: u32 = 10;
/// Buckets that are counted in one piece of memory: values of a site lie close together.
const PAGE: usize = 1 << PAGE_BITS;
const PAGE_BITS: u32 = 8;
/// More than any value has: 2^64 is in bucket 55 × 1024 + 1023.
const PAGES: usize = 56 << (STEP_BITS - PAGE_BITS);

/// Quantiles are those of so many values at least: of fewer, they would be the largest.
const LEAST_FOR_P95: u64 = 20;
const LEAST_FOR_P99: u64 = 100;

/// The bucket of a value.
pub(super) const fn bucket_of(value: u64) -> u32 {
    let high = u64::BITS - value.leading_zeros();
    let shift = high.saturating_sub(STEP_BITS + 1);
    #[expect(clippy::cast_possible_truncation, reason = "shifted, it is below 2048")]
    let step = (value >> shift) as u32;
    shift * (1 << STEP_BITS) + step
}

/// The middle of a bucket.
const fn middle_of(bucket: u32) -> u64 {
    if bucket < 2 << STEP_BITS {
        return bucket as u64;
    }
    let shift = (bucket >> STEP_BITS) - 1;
    let low = ((bucket - (shift << STEP_BITS)) as u64) << shift;
    low + ((1 << shift) - 1) / 2
}

/// A few values: their buckets in ascending order, each with its count, and the largest value.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Sparse {
    counts: Packed,
    max: u64,
}

impl Sparse {
    /// Of buckets in any order, which are sorted, and the largest value.
    pub(super) fn of(buckets: &mut [u32], max: u64) -> Self {
        buckets.sort_unstable();
        let counts =
            buckets.chunk_by(|a, b| a == b).map(|same| (same[0], u32::try_from(same.len()).unwrap_or(u32::MAX)));
        Self { counts: Packed::of(counts), max }
    }

    /// Adds others.
    pub(super) fn add(&mut self, other: &Self) {
        let mut all: Vec<(u32, u32)> = self.counts.unpack().chain(other.counts.unpack()).collect();
        all.sort_unstable();
        let sum = |same: &[(u32, u32)]| same.iter().fold(0_u32, |sum, (_, count)| sum.saturating_add(*count));
        self.counts = Packed::of(all.chunk_by(|a, b| a.0 == b.0).map(|same| (same[0].0, sum(same))));
        self.max = self.max.max(other.max);
    }

    pub(super) fn quantiles(&self) -> Ranks {
        let counts = || self.counts.unpack().map(|(bucket, count)| (bucket, u64::from(count)));
        Ranks::among(counts().map(|(_, count)| count).sum(), self.max, counts())
    }
}

/// Buckets in ascending order, each with its count, as they lie in a summary: the distance to the bucket before, and the
/// count, seven bits a byte, the lowest first, all but the last byte of a number with the eighth bit set (LEB128). They are
/// read no earlier than they are added up: most summaries are read for this alone.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Packed(#[serde(with = "serde_bytes")] Vec<u8>);

impl Packed {
    fn of(counts: impl Iterator<Item = (u32, u32)>) -> Self {
        let (mut bytes, mut before) = (Vec::new(), 0);
        for (bucket, count) in counts {
            put(&mut bytes, bucket - before);
            put(&mut bytes, count);
            before = bucket;
        }
        bytes.shrink_to_fit();
        Self(bytes)
    }

    fn unpack(&self) -> Unpacked<'_> {
        Unpacked { bytes: &self.0, bucket: 0 }
    }
}

fn put(bytes: &mut Vec<u8>, mut number: u32) {
    while number > 0x7f {
        bytes.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    bytes.push(number.to_le_bytes()[0]);
}

/// The buckets of a [`Packed`]. Bytes that make no sense end it.
struct Unpacked<'a> {
    bytes: &'a [u8],
    bucket: u32,
}

impl Unpacked<'_> {
    fn number(&mut self) -> Option<u32> {
        let (mut number, mut shift) = (0, 0);
        loop {
            let (byte, rest) = self.bytes.split_first()?;
            self.bytes = rest;
            number |= u32::from(byte & 0x7f).checked_shl(shift)?;
            if byte & 0x80 == 0 {
                return Some(number);
            }
            shift += 7;
        }
    }
}

impl Iterator for Unpacked<'_> {
    type Item = (u32, u32);

    #[inline]
    fn next(&mut self) -> Option<(u32, u32)> {
        // Most are so small that each is one byte.
        let (distance, count) = match self.bytes {
            [distance @ ..0x80, count @ ..0x80, rest @ ..] => {
                self.bytes = rest;
                (u32::from(*distance), u32::from(*count))
            }
            _ => (self.number()?, self.number()?),
        };
        self.bucket = self.bucket.checked_add(distance)?;
        Some((self.bucket, count))
    }
}

/// Many values. What was never seen takes no memory.
#[derive(Debug, Clone, Default)]
pub(super) struct Histogram {
    pages: Vec<Page>,
    max: u64,
    n: u64,
}

impl Histogram {
    /// Adds a few values.
    pub(super) fn add(&mut self, values: &Sparse) {
        self.max = self.max.max(values.max);
        let mut added = 0;
        let (mut number, mut page) = (usize::MAX, None);
        for (bucket, count) in values.counts.unpack() {
            let of = (bucket >> PAGE_BITS) as usize;
            // Most follow one another on the same page.
            if of != number {
                (number, page) = (of, page_of(&mut self.pages, of));
            }
            if let Some(page) = &mut page {
                let counted = &mut page[bucket as usize % PAGE];
                // Four thousand million rows are a hundred years of four hundred sites every minute.
                *counted = counted.saturating_add(count);
                added += u64::from(count);
            }
        }
        self.n += added;
    }

    /// Adds those of another.
    pub(super) fn merge(&mut self, other: &Self) {
        self.max = self.max.max(other.max);
        for (number, theirs) in other.pages.iter().enumerate() {
            let Some(theirs) = theirs else { continue };
            let Some(page) = page_of(&mut self.pages, number) else { continue };
            for (own, count) in page.iter_mut().zip(theirs.iter()) {
                *own = own.saturating_add(*count);
            }
        }
        self.n += other.n;
    }

    fn counts(&self) -> impl Iterator<Item = (u32, u64)> {
        self.pages.iter().enumerate().filter_map(|(number, page)| Some((number, page.as_ref()?))).flat_map(
            |(number, page)| {
                let first = u32::try_from(number << PAGE_BITS).unwrap_or(u32::MAX);
                page.iter()
                    .zip(first..)
                    .filter(|(count, _)| **count > 0)
                    .map(|(count, bucket)| (bucket, u64::from(*count)))
            },
        )
    }

    pub(super) fn quantiles(&self) -> Ranks {
        Ranks::among(self.n, self.max, self.counts())
    }
}

type Page = Option<Box<[u32; PAGE]>>;

/// The page of this number; `None`: no value has it.
fn page_of(pages: &mut Vec<Page>, number: usize) -> Option<&mut [u32; PAGE]> {
    if pages.len() <= number {
        pages.resize_with((number + 1).min(PAGES), || None);
    }
    Some(pages.get_mut(number)?.get_or_insert_with(|| Box::new([0; PAGE])))
}

/// Values at nearest ranks: the smallest value that at least so many percent of all values do not exceed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Ranks {
    pub(super) n: u64,
    pub(super) p50: Option<u64>,
    pub(super) p95: Option<u64>,
    pub(super) p99: Option<u64>,
    pub(super) max: Option<u64>,
}

impl Ranks {
    fn among(n: u64, max: u64, counts: impl Iterator<Item = (u32, u64)>) -> Self {
        if n == 0 {
            return Self::default();
        }
        let ranks = [50, 95, 99].map(|percent: u64| (n * percent).div_ceil(100));
        let mut found = [None; 3];
        let mut seen = 0;
        for (bucket, count) in counts {
            seen += count;
            for (rank, value) in ranks.iter().zip(&mut found) {
                if seen >= *rank && value.is_none() {
                    *value = Some(middle_of(bucket).min(max));
                }
            }
            if found[2].is_some() {
                break;
            }
        }
        Self {
            n,
            p50: found[0],
            p95: found[1].filter(|_| n >= LEAST_FOR_P95),
            p99: found[2].filter(|_| n >= LEAST_FOR_P99),
            max: Some(max),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sparse(values: &[u64]) -> Sparse {
        let mut buckets: Vec<_> = values.iter().map(|value| bucket_of(*value)).collect();
        Sparse::of(&mut buckets, values.iter().copied().max().unwrap_or(0))
    }

    #[test]
    fn small_values_have_a_bucket_each() {
        for value in 0..2048 {
            assert_eq!(middle_of(bucket_of(value)), value);
        }
    }

    #[test]
    fn the_largest_value_there_is_has_a_bucket() {
        let mut all = Histogram::default();
        all.add(&sparse(&[u64::MAX, 0]));
        assert_eq!(all.quantiles().max, Some(u64::MAX));
        assert_eq!(all.quantiles().n, 2);
        assert!((bucket_of(u64::MAX) >> PAGE_BITS) < u32::try_from(PAGES).unwrap());
    }

    #[test]
    fn quantiles_of_few_values_are_not_given() {
        let few = |n: u64| sparse(&(1..=n).collect::<Vec<_>>()).quantiles();
        assert_eq!(few(0), Ranks::default());
        assert_eq!((few(1).p50, few(1).p95, few(1).max), (Some(1), None, Some(1)));
        assert_eq!((few(19).p95, few(20).p95), (None, Some(19)));
        assert_eq!((few(99).p99, few(100).p99), (None, Some(99)));
    }

    proptest! {
        #[test]
        fn a_bucket_is_within_half_a_thousandth_of_its_values(value in any::<u64>(), shift in 0_u32..64) {
            let value = value >> shift;
            let middle = middle_of(bucket_of(value));
            prop_assert!(u128::from(middle.abs_diff(value)) * 2000 <= u128::from(value), "{value} in {middle}");
        }

        #[test]
        fn what_is_packed_is_unpacked(counts in prop::collection::btree_map(any::<u32>(), any::<u32>(), 0..50)) {
            let packed = Packed::of(counts.iter().map(|(bucket, count)| (*bucket, *count)));
            prop_assert_eq!(packed.unpack().collect::<Vec<_>>(), counts.into_iter().collect::<Vec<_>>());
        }

        #[test]
        fn any_bytes_have_an_end_and_buckets_that_ascend(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let unpacked: Vec<_> = Packed(bytes.clone()).unpack().map(|(bucket, _)| bucket).collect();
            prop_assert!(unpacked.is_sorted() && unpacked.len() <= bytes.len() / 2);
            let mut all = Histogram::default();
            all.add(&Sparse { counts: Packed(bytes), max: 0 });
            let _ = all.quantiles();
        }

        #[test]
        fn buckets_ascend_with_their_values(a in any::<u64>(), b in any::<u64>(), shift in 0_u32..64) {
            let (a, b) = (a >> shift, b >> shift);
            prop_assert_eq!(a < b && bucket_of(a) > bucket_of(b), false);
        }

        #[test]
        fn quantiles_are_those_of_the_sorted_values(mut values in prop::collection::vec(0_u64..100_000_000, 1..300)) {
            let ranks = sparse(&values).quantiles();
            values.sort_unstable();
            let at = |percent: usize| values[(values.len() * percent).div_ceil(100) - 1];
            let near = |found: Option<u64>, exact: u64| found.is_none_or(|v| v.abs_diff(exact) * 2000 <= exact);
            prop_assert!(near(ranks.p50, at(50)) && near(ranks.p95, at(95)) && near(ranks.p99, at(99)));
            prop_assert_eq!(ranks.max, values.last().copied());
        }

        #[test]
        fn parts_add_up_to_the_whole(values in prop::collection::vec(any::<u64>(), 0..200), cut in 0_usize..200) {
            let cut = cut.min(values.len());
            let (mut left, mut right) = (Histogram::default(), Histogram::default());
            left.add(&sparse(&values[..cut]));
            right.add(&sparse(&values[cut..]));
            left.merge(&right);
            prop_assert_eq!(left.quantiles(), sparse(&values).quantiles());
        }
    }
}

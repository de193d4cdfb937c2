//! Sets of moments as sorted lists of intervals.

/// Moments beyond this stand for it, so that no length overflows: 146 million years to either side of 1970.
const LIMIT: i64 = i64::MAX / 2;

/// A set of moments: disjoint half-open intervals `[start, end)` in the order of time, none empty, none touching the next.
/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Intervals {
    spans: Vec<(i64, i64)>,
    /// For each interval the length of all before it together.
    before: Vec<i64>,
}

impl Intervals {
    /// No moment at all.
    pub const fn none() -> Self {
        Self { spans: Vec::new(), before: Vec::new() }
    }

    /// The moments from `start` until before `end`; none where that is not after it.
    pub fn single(start: i64, end: i64) -> Self {
        Self::from_iter([(start, end)])
    }

    /// The intervals, in the order of time.
    pub fn spans(&self) -> &[(i64, i64)] {
        &self.spans
    }

    /// Whether there is no moment in it.
    pub const fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// All its time together, milliseconds.
    pub fn total(&self) -> i64 {
        match (self.spans.last(), self.before.last()) {
            (Some((start, end)), Some(before)) => before + (end - start),
            _ => 0,
        }
    }

    /// Whether the moment is in it.
    pub fn contains(&self, moment: i64) -> bool {
        self.at_or_after(moment).is_some_and(|index| self.spans[index].0 <= moment)
    }

    /// How much of the time from `start` until before `end` is in it, milliseconds.
    pub fn overlap(&self, start: i64, end: i64) -> i64 {
        if start >= end {
            return 0;
        }
        let Some(first) = self.at_or_after(start) else { return 0 };
        let (from, to) = self.spans[first];
        // Nearly always: the whole stretch lies in one interval, or ends before the next.
        if end <= to {
            return end.saturating_sub(start.max(from)).max(0);
        }
        self.until(end) - (self.before[first] + (start.max(from) - from))
    }

    /// The part of it from `start` until before `end`.
    #[must_use]
    pub fn clipped(&self, start: i64, end: i64) -> Self {
        let first = self.at_or_after(start).unwrap_or(self.spans.len());
        let inside = self.spans[first..].iter().take_while(|span| span.0 < end);
        inside.map(|&(from, to)| (from.max(start), to.min(end))).collect()
    }

    /// The moments that are in one of both.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        self.spans.iter().chain(&other.spans).copied().collect()
    }

    /// The moments that are in both.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Self {
        let (mut left, mut right) = (self.spans.as_slice(), other.spans.as_slice());
        let mut common = Vec::new();
        while let ([(from, to), next_left @ ..], [(other_from, other_to), next_right @ ..]) = (left, right) {
            common.push((*from.max(other_from), *to.min(other_to)));
            if to <= other_to { left = next_left } else { right = next_right }
        }
        common.into_iter().collect()
    }

    /// The moments of this that are not in the other.
    #[must_use]
    pub fn subtract(&self, other: &Self) -> Self {
        self.intersect(&other.complement())
    }

    /// What makes it differ from every other, for a fingerprint: start and end of each interval, little-endian.
    pub fn bytes(&self) -> Vec<u8> {
        self.spans.iter().flat_map(|(start, end)| [start.to_le_bytes(), end.to_le_bytes()]).flatten().collect()
    }

    fn complement(&self) -> Self {
        let starts = [-LIMIT].into_iter().chain(self.spans.iter().map(|span| span.1));
        let ends = self.spans.iter().map(|span| span.0).chain([LIMIT]);
        starts.zip(ends).collect()
    }

    /// The interval that holds the moment, or else the next after it.
    fn at_or_after(&self, moment: i64) -> Option<usize> {
        let index = self.spans.partition_point(|span| span.1 <= moment);
        (index < self.spans.len()).then_some(index)
    }

    /// Its time before the moment, milliseconds.
    fn until(&self, moment: i64) -> i64 {
        let Some(index) = self.at_or_after(moment) else { return self.total() };
        self.before[index] + moment.saturating_sub(self.spans[index].0).max(0)
    }
}

/// In any order, and they may overlap.
impl FromIterator<(i64, i64)> for Intervals {
    fn from_iter<T: IntoIterator<Item = (i64, i64)>>(spans: T) -> Self {
        let limited = |(start, end): (i64, i64)| (start.clamp(-LIMIT, LIMIT), end.clamp(-LIMIT, LIMIT));
        let mut given: Vec<_> = spans.into_iter().map(limited).filter(|(start, end)| start < end).collect();
        given.sort_unstable();
        let mut all: Vec<(i64, i64)> = Vec::with_capacity(given.len());
        for (start, end) in given {
            match all.last_mut() {
                Some(last) if start <= last.1 => last.1 = last.1.max(end),
                _ => all.push((start, end)),
            }
        }
        let lengths = all.iter().map(|(start, end)| end - start);
        let before = lengths.scan(0, |sum, length| Some(std::mem::replace(sum, *sum + length))).collect();
        Self { spans: all, before }
    }
}

#[cfg(test)]
#[path = "intervals_tests.rs"]
mod tests;

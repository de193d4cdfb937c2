//! Numbers that look random and are the same for the same seed: `SplitMix64` (Steele, Lea and Flood 2014).

/// A sequence.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + u64::try_from((u128::from(self.next()) * u128::from(high - low + 1)) >> 64).unwrap_or(0)
    }

    /// From 0 to 1, 1 excluded.
    #[expect(clippy::cast_precision_loss, reason = "the upper 53 bits fit")]
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// True once in `often` times.
    pub(crate) fn once_in(&mut self, often: u64) -> bool {
        self.between(1, often) == 1
    }

    /// One of `of`, which must not be empty.
    pub(crate) fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[usize::try_from(self.between(0, of.len() as u64 - 1)).unwrap_or(0)]
    }

    /// Exponentially distributed: mostly less than `mean`, sometimes many times as much.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "small")]
    pub(crate) fn tail(&mut self, mean: u64) -> u64 {
        (-(1.0 - self.unit()).ln() * mean as f64) as u64
    }

    /// As often from `low` to twice that as from there to four times, and so on up to `high`.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "small")]
    pub(crate) fn of_any_size(&mut self, low: u64, high: u64) -> u64 {
        (low as f64 * (high as f64 / low as f64).powf(self.unit())) as u64
    }
}

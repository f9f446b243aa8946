//! State in fewer bits: bfloat16, or 8 bits with one scale for each block of 256 entries.
//!
//! A moving average with β = 0.999 changes by a thousandth of itself at a step, far less than half the distance between two numbers of these formats:
//! rounded to nearest, it would never move.
//! So a number is rounded up or down at random, up the more often the nearer the upper neighbour is, and the average is right.
//! The chance is a low-discrepancy sequence in the step and the entry, not a generator: the same run gives the same bits.
//!
//! An 8-bit number is a small float, relative to the largest absolute value of its block.
//! Without a sign it has five bits of exponent and three of mantissa: 32 octaves. With a sign, four and three: 16 octaves.

use crate::Float;

/// How an [`Optimizer`](crate::Optimizer) keeps the state of its rule.
///
/// The parameters stay as they are; each step decodes a block of the state, applies the rule in the parameters' type and encodes the block again.
///
/// # Cost in accuracy
/// For Adam on 4,096 parameters in `f32` whose gradients differ in scale by up to 2¹⁰, after 2,000 steps, against the same run with its state in full
/// (the test `reduced` of this crate measures it, and fails if it becomes worse):
///
/// | | bytes per parameter | v, rms | v, mean | update / lr, rms |
/// |---|---|---|---|---|
/// | `Full` | 8 | | | |
/// | `Bf16` | 4 | 2.9 % | −0.002 % | 0.008 |
/// | `Bits8` | 2.03 | 19 % | −0.31 % | 0.061 |
///
/// The difference of v is large at any one coordinate and averages out, since rounding goes up or down at random, the nearer the more often.
/// Least squares with noisy gradients and a rate that falls to 0 ends at a mean squared error of 6.6e-5 with each of the three.
///
/// With `Bits8`, a coordinate whose m is below 2⁻¹⁶ of the largest in its block of 256 has m = 0, and one whose v is below 2⁻³² of the largest is given 2⁻³²:
/// it takes steps that are too small, never too large.
/// State below 1e-38 is lost in both reduced forms, also where the parameters are `f64`.
///
/// # Example
/// ```
/// use moments::{Adam, Optimizer, Storage};
///
/// let mut theta = vec![3.0_f32; 512];
/// let mut opt = Optimizer::with_storage(Adam::default(), Storage::Bits8);
/// for _ in 0..2 {
///     let grad: Vec<f32> = theta.iter().map(|x| 2.0 * x).collect();
///     opt.step(&mut theta, &grad)?;
/// }
/// assert!((theta[0] - 2.998).abs() < 1e-4);
/// assert_eq!(opt.state_bytes(), 2 * (512 + 2 * 4)); // m and v: a byte per entry, and a scale per block
/// assert_eq!(opt.state("exp_avg"), None); // there is no such slice of f32
/// assert!((opt.state_decoded("exp_avg").unwrap()[0] - 1.14).abs() < 0.1);
/// # Ok::<(), moments::Error>(())
/// ```
///
/// # References
/// Dettmers, Lewis, Shleifer & Zettlemoyer (2022), "8-bit Optimizers via Block-wise Quantization", arXiv:2110.02861: blocks, each with its largest absolute value.
/// Theirs is another code, rounded to nearest, with blocks of 2,048 entries.
/// Gupta, Agrawal, Gopalakrishnan & Narayanan (2015), "Deep Learning with Limited Numerical Precision", arXiv:1502.02551: stochastic rounding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Storage {
    /// In the type of the parameters.
    #[default]
    Full,
    /// As bfloat16: 2 bytes per entry, 8 bits of precision, the range of `f32`.
    Bf16,
    /// As 8-bit floats with one scale for each block of 256 entries: 1.016 bytes per entry, 4 bits of precision.
    Bits8,
}

/// Entries that share a scale.
pub(crate) const BLOCK: usize = 256;

/// A state tensor in memory.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Values<T> {
    Full(Vec<T>),
    Bf16(Vec<u16>),
    Bits8 {
        codes: Vec<u8>,
        scales: Vec<f32>,
        signed: bool,
    },
}

impl<T: Float> Values<T> {
    pub(crate) fn zeros(len: usize, storage: Storage, signed: bool) -> Self {
        match storage {
            Storage::Full => Self::Full(vec![T::default(); len]),
            Storage::Bf16 => Self::Bf16(vec![0; len]),
            Storage::Bits8 => Self::Bits8 {
                codes: vec![0; len],
                scales: vec![0.0; len.div_ceil(BLOCK)],
                signed,
            },
        }
    }

    /// The bytes of the entries and their scales.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Full(values) => size_of_val(&values[..]),
            Self::Bf16(values) => size_of_val(&values[..]),
            Self::Bits8 { codes, scales, .. } => codes.len() + size_of_val(&scales[..]),
        }
    }

    pub(crate) fn slot(&mut self) -> Slot<'_, T> {
        match self {
            Self::Full(values) => Slot::Full(values),
            Self::Bf16(values) => Slot::Bf16(values),
            Self::Bits8 {
                codes,
                scales,
                signed,
            } => Slot::Bits8 {
                codes,
                scales,
                signed: *signed,
            },
        }
    }

    /// The numbers that are kept, in the type of the parameters.
    pub(crate) fn decoded(&self) -> Vec<T> {
        match self {
            Self::Full(values) => values.clone(),
            Self::Bf16(values) => values.iter().map(|&b| T::of_f32(bf16_decode(b))).collect(),
            Self::Bits8 {
                codes,
                scales,
                signed,
            } => {
                let blocks = codes.chunks(BLOCK).zip(scales);
                let entry = |code, scale| {
                    let value = if *signed {
                        signed_decode(code)
                    } else {
                        unsigned_decode(code)
                    };
                    T::of_f32(value * scale)
                };
                blocks
                    .flat_map(|(codes, &scale)| codes.iter().map(move |&code| entry(code, scale)))
                    .collect()
            }
        }
    }
}

/// A state tensor, or a piece of one, on its way through a step.
pub(crate) enum Slot<'a, T> {
    Empty,
    Full(&'a mut [T]),
    Bf16(&'a mut [u16]),
    Bits8 {
        codes: &'a mut [u8],
        scales: &'a mut [f32],
        signed: bool,
    },
}

impl<'a, T> Slot<'a, T> {
    pub(crate) fn is_full_or_empty(&self) -> bool {
        matches!(self, Self::Full(_) | Self::Empty)
    }

    /// The entries of state that is kept in full; none where there is no tensor.
    pub(crate) fn into_full(self) -> &'a mut [T] {
        match self {
            Self::Full(values) => values,
            _ => &mut [],
        }
    }

    /// The first `at` entries and the rest; `at` is a multiple of `BLOCK`.
    pub(crate) fn split(self, at: usize) -> (Self, Self) {
        match self {
            Self::Empty => (Self::Empty, Self::Empty),
            Self::Full(values) => {
                let (left, right) = values.split_at_mut(at);
                (Self::Full(left), Self::Full(right))
            }
            Self::Bf16(values) => {
                let (left, right) = values.split_at_mut(at);
                (Self::Bf16(left), Self::Bf16(right))
            }
            Self::Bits8 {
                codes,
                scales,
                signed,
            } => {
                let (codes, codes_right) = codes.split_at_mut(at);
                let (scales, scales_right) = scales.split_at_mut(at / BLOCK);
                let left = Self::Bits8 {
                    codes,
                    scales,
                    signed,
                };
                let right = Self::Bits8 {
                    codes: codes_right,
                    scales: scales_right,
                    signed,
                };
                (left, right)
            }
        }
    }
}

impl<T: Float> Slot<'_, T> {
    /// The entries from `start` on, as many as `room` has; decoded into `room` unless they are kept in full.
    #[inline(always)]
    pub(crate) fn open<'b>(&'b mut self, start: usize, room: &'b mut [T]) -> &'b mut [T] {
        let range = start..start + room.len();
        match self {
            Self::Empty => &mut [],
            Self::Full(values) => &mut values[range],
            Self::Bf16(values) => {
                for (value, &bits) in room.iter_mut().zip(&values[range]) {
                    *value = T::of_f32(bf16_decode(bits));
                }
                room
            }
            Self::Bits8 {
                codes,
                scales,
                signed,
            } => {
                let blocks = room.chunks_mut(BLOCK).zip(codes[range].chunks(BLOCK));
                for ((values, codes), &scale) in blocks.zip(&scales[start / BLOCK..]) {
                    if *signed {
                        for (value, &code) in values.iter_mut().zip(codes) {
                            *value = T::of_f32(signed_decode(code) * scale);
                        }
                    } else {
                        for (value, &code) in values.iter_mut().zip(codes) {
                            *value = T::of_f32(unsigned_decode(code) * scale);
                        }
                    }
                }
                room
            }
        }
    }

    /// Puts back what a step has made of the entries that were opened.
    #[inline(always)]
    pub(crate) fn close(&mut self, start: usize, room: &[T], dither: Dither) {
        let range = start..start + room.len();
        match self {
            Self::Empty | Self::Full(_) => {}
            Self::Bf16(values) => {
                for ((bits, &value), i) in values[range].iter_mut().zip(room).zip(0..) {
                    *bits = bf16_encode(value.to_f32(), dither.at(i));
                }
            }
            Self::Bits8 {
                codes,
                scales,
                signed,
            } => {
                let blocks = room.chunks(BLOCK).zip(codes[range].chunks_mut(BLOCK));
                let blocks = blocks.zip(&mut scales[start / BLOCK..]);
                for (((values, codes), scale), b) in blocks.zip(0..) {
                    let dither = dither.skip(b * BLOCK as u32);
                    let largest = values
                        .iter()
                        .fold(0, |max: u32, x| max.max(x.to_f32().abs().to_bits()));
                    let largest = f32::from_bits(largest);
                    // The largest code stands for 1.875; a block that is not finite stays so.
                    *scale = largest * (1.0 / TOP);
                    let inverse = if *scale >= f32::MIN_POSITIVE {
                        TOP / largest
                    } else {
                        0.0
                    };
                    let entries = codes.iter_mut().zip(values).zip(0..);
                    if *signed {
                        for ((code, &value), i) in entries {
                            *code = signed_encode(value.to_f32() * inverse, dither.at(i));
                        }
                    } else {
                        for ((code, &value), i) in entries {
                            *code = unsigned_encode(value.to_f32() * inverse, dither.at(i));
                        }
                    }
                }
            }
        }
    }
}

/// Chance without a generator: a number for each entry of each state tensor at each step.
///
/// The fractional parts of a·i + b·t fill the unit interval evenly along the entries i and along the steps t, with a = 0.7549 and b = 0.5698 of
/// Roberts's sequence in two dimensions, which are the inverse and the inverse square of the root 1.3247 of x³ = x + 1.
/// Here they are in units of 2⁻³², so that the fractional part comes with the overflow.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dither(u32);

impl Dither {
    const ALONG_ENTRIES: u32 = 0xC13F_A9A9;
    const ALONG_STEPS: u32 = 0x91E1_0DA6;
    /// The golden ratio's fractional part.
    const ALONG_TENSORS: u32 = 0x9E37_79B9;

    /// For step `t` and the entries of a tensor from `first` on.
    #[inline(always)]
    pub(crate) fn new(t: u64, first: usize) -> Self {
        Self((t as u32).wrapping_mul(Self::ALONG_STEPS)).skip(first as u32)
    }

    /// For the state tensor at this place among the rule's.
    #[inline(always)]
    pub(crate) fn of(self, tensor: u32) -> Self {
        Self(
            self.0
                .wrapping_add(tensor.wrapping_mul(Self::ALONG_TENSORS)),
        )
    }

    /// For the entries so many places further on.
    #[inline(always)]
    pub(crate) fn skip(self, entries: u32) -> Self {
        Self(
            self.0
                .wrapping_add(entries.wrapping_mul(Self::ALONG_ENTRIES)),
        )
    }

    /// For entry `i`: 32 bits, each pattern as often as any other.
    #[inline(always)]
    fn at(self, i: u32) -> u32 {
        self.skip(i).0
    }
}

/// What the largest 8-bit code stands for: 1.111 in binary.
const TOP: f32 = 1.875;

/// What the exponent field of an `f32` exceeds that of an 8-bit float by, in units of its last bit.
const UNSIGNED_BASE: u32 = (127 - 31) << 3;
const SIGNED_BASE: u32 = (127 - 15) << 3;

fn bf16_decode(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}

/// The upper or the lower of the two neighbours: the upper one the more often, the nearer it is, over all `dither`.
#[inline(always)]
fn bf16_encode(value: f32, dither: u32) -> u16 {
    let bits = value.to_bits();
    // An infinity or a NaN would be carried into another.
    let finite = bits & 0x7F80_0000 != 0x7F80_0000;
    let rounded = if finite { bits + (dither >> 16) } else { bits };
    (rounded >> 16) as u16
}

/// Code 0 is 0; codes 1 to 255 are 2⁻³¹ · 1.125 to 1.875.
#[inline(always)]
fn unsigned_decode(code: u8) -> f32 {
    let code = u32::from(code);
    let value = f32::from_bits((code + UNSIGNED_BASE) << 20);
    if code == 0 { 0.0 } else { value }
}

/// `value` is in [0, 1.875]; a positive one never becomes 0, since a step is divided by its root.
#[inline(always)]
fn unsigned_encode(value: f32, dither: u32) -> u8 {
    let bits = (value.to_bits() + (dither >> 12)) >> 20;
    let code = bits.saturating_sub(UNSIGNED_BASE).clamp(1, 255);
    if value > 0.0 { code as u8 } else { 0 }
}

/// The highest bit is the sign; magnitude 0 is 0, magnitudes 1 to 127 are 2⁻¹⁵ · 1.125 to 1.875.
#[inline(always)]
fn signed_decode(code: u8) -> f32 {
    // The sign is drawn out over the upper bits, where the mask keeps one of it.
    let bits = (((code as i8) as u32) << 20) & 0x87F0_0000;
    let value = f32::from_bits(bits + (SIGNED_BASE << 20));
    let magnitude = code & 0x7F;
    if magnitude == 0 { 0.0 } else { value }
}

/// `value` is in [-1.875, 1.875]; what is smaller than the smallest code becomes 0.
#[inline(always)]
fn signed_encode(value: f32, dither: u32) -> u8 {
    let bits = value.to_bits();
    let magnitude = ((bits & 0x7FFF_FFFF) + (dither >> 12)) >> 20;
    let code = magnitude.saturating_sub(SIGNED_BASE).min(127);
    (code | ((bits >> 24) & 0x80)) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_8_bit_code_stands_for_itself_whatever_the_chance() {
        for code in 0..=255 {
            for dither in [0, 1, 0x7FFF_FFFF, 0x8000_0000, u32::MAX] {
                assert_eq!(unsigned_encode(unsigned_decode(code), dither), code);
                // There are two zeros with a sign; both stand for 0.
                let again = signed_encode(signed_decode(code), dither);
                assert_eq!(signed_decode(again), signed_decode(code), "{code}");
                if code & 0x7F != 0 {
                    assert_eq!(again, code);
                }
            }
        }
        assert_eq!(unsigned_decode(255), TOP);
        assert_eq!((signed_decode(127), signed_decode(255)), (TOP, -TOP));
        assert_eq!((unsigned_decode(0), signed_decode(0)), (0.0, 0.0));
    }

    #[test]
    fn every_finite_bf16_stands_for_itself_and_others_stay_what_they_are() {
        for bits in 0..=u16::MAX {
            let value = bf16_decode(bits);
            for dither in [0, 1, u32::MAX] {
                let again = bf16_encode(value, dither);
                assert_eq!(again, bits);
            }
        }
        assert_eq!(
            bf16_decode(bf16_encode(f32::INFINITY, u32::MAX)),
            f32::INFINITY
        );
        assert!(bf16_decode(bf16_encode(f32::NAN, u32::MAX)).is_nan());
    }

    #[test]
    fn codes_rise_with_the_values_and_neighbours_are_an_eighth_apart_at_most() {
        for code in 1..255 {
            let (low, high) = (unsigned_decode(code), unsigned_decode(code + 1));
            assert!(low < high && high <= low * 1.125, "{code}");
        }
        for code in 1..127 {
            let (low, high) = (signed_decode(code), signed_decode(code + 1));
            assert!(low < high && high <= low * 1.125, "{code}");
            assert_eq!(signed_decode(code | 0x80), -low);
        }
    }

    #[test]
    fn on_average_a_number_is_kept_as_it_is() {
        let value = 0.731_f32;
        let each = (0..=0xFFFF_u32).map(|dither| {
            let dither = dither << 16;
            [
                f64::from(bf16_decode(bf16_encode(value, dither))),
                f64::from(unsigned_decode(unsigned_encode(value, dither))),
                f64::from(signed_decode(signed_encode(-value, dither))),
            ]
        });
        let mut sums = [0.0; 3];
        for three in each {
            for (sum, x) in sums.iter_mut().zip(three) {
                *sum += x / 65536.0;
            }
        }
        let value = f64::from(value);
        for (mean, expected) in sums.into_iter().zip([value, value, -value]) {
            assert!((mean / expected - 1.0).abs() < 2e-6, "{mean} {expected}");
        }
    }

    #[test]
    fn a_positive_number_without_a_sign_never_becomes_zero() {
        for value in [f32::MIN_POSITIVE, 1e-30, 1e-10, 4e-10] {
            assert_eq!(unsigned_encode(value, 0), 1);
        }
        assert_eq!(unsigned_encode(0.0, u32::MAX), 0);
        assert_eq!(signed_decode(signed_encode(1e-10, u32::MAX)), 0.0);
    }

    #[test]
    fn chance_is_even_along_entries_and_along_steps() {
        let unit = |x: u32| f64::from(x) / 2f64.powi(32);
        // No twentieth of the unit interval is hit more than a tenth too often or too seldom.
        let even = |numbers: &mut dyn Iterator<Item = u32>| {
            let mut hits = [0; 20];
            numbers.for_each(|x| hits[(20.0 * unit(x)) as usize] += 1);
            assert!(hits.iter().all(|n| (90..=110).contains(n)), "{hits:?}");
        };
        for start in [1, 7, 1_000_000_007] {
            even(&mut (0..2000).map(|i| Dither::new(start, 0).at(i)));
            even(&mut (start..start + 2000).map(|t| Dither::new(t, 5).at(3)));
        }
    }

    #[test]
    fn chance_differs_between_steps_entries_and_tensors_and_goes_on_over_a_cut() {
        let here = Dither::new(1, 0);
        assert_ne!(here.at(0), here.at(1));
        assert_ne!(here.at(0), here.of(1).at(0));
        assert_ne!(here.at(0), Dither::new(2, 0).at(0));
        assert_eq!(here.of(1).skip(300).at(5), Dither::new(1, 305).of(1).at(0));
    }

    #[test]
    fn what_is_closed_is_what_is_decoded_and_opened_again() {
        let n = 700;
        let values: Vec<f32> = (0..n)
            .map(|i| (i as f32 * 0.7).sin() * 10f32.powi(i % 5))
            .collect();
        for (storage, signed, bound) in [
            (Storage::Bf16, true, 0.0079),
            (Storage::Bits8, true, 0.126),
            (Storage::Bits8, false, 0.126),
            (Storage::Full, true, 0.0),
        ] {
            let kept_as = |x: f32| if signed { x } else { x.abs() };
            let values: Vec<f32> = values.iter().map(|&x| kept_as(x)).collect();
            let mut kept = Values::zeros(n as usize, storage, signed);
            let mut room = values.clone();
            if let Values::Full(full) = &mut kept {
                full.copy_from_slice(&values);
            }
            kept.slot().close(0, &room, Dither::new(1, 0));
            let decoded: Vec<f32> = kept.decoded();
            let opened = kept.slot().open(0, &mut room).to_vec();
            assert_eq!(decoded, opened);
            for (x, y) in values.iter().zip(&decoded) {
                // Below the 16 octaves under the largest of its block, a number may be lost.
                let lost = y.abs() <= 1e4 / 32768.0 && storage == Storage::Bits8;
                assert!(
                    (x - y).abs() <= bound * x.abs() || lost,
                    "{storage:?} {x} {y}"
                );
            }
        }
    }

    #[test]
    fn a_block_that_is_not_finite_stays_so_and_leaves_the_next_alone() {
        let mut values = vec![1.0_f32; 2 * BLOCK];
        values[3] = f32::NAN;
        let mut kept = Values::zeros(values.len(), Storage::Bits8, true);
        kept.slot().close(0, &values, Dither::new(1, 0));
        let decoded: Vec<f32> = kept.decoded();
        assert!(decoded[3].is_nan());
        assert_eq!(decoded[BLOCK..], values[BLOCK..]);
    }
}

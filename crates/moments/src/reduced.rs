//! State in fewer bits: bfloat16, or 8 bits with one scale for each block of 256 entries.
//!
//! A moving average with β = 0.999 changes by a thousandth of itself at a step, far less than half the distance between two numbers of these formats:
//! rounded to nearest, it would never move.
//! So a number is rounded up or down at random, up the more often the nearer the upper neighbour is, and the average is right.
//! The chance comes from a hash of the step and the entry: the same run gives the same bits.
//!
//! An 8-bit number is a small float, relative to the largest absolute value of its block.
//! Without a sign it has five bits of exponent and three of mantissa: 32 octaves. With a sign, four and three: 16 octaves.

use crate::Float;

/// How an [`Optimizer`](crate::Optimizer) keeps the state of its rule.
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
                let entries = values[range].iter_mut().zip(room).enumerate();
                for (i, (bits, &value)) in entries {
                    *bits = bf16_encode(value.to_f32(), dither.at(i));
                }
            }
            Self::Bits8 {
                codes,
                scales,
                signed,
            } => {
                let blocks = room.chunks(BLOCK).zip(codes[range].chunks_mut(BLOCK));
                for (b, ((values, codes), scale)) in
                    blocks.zip(&mut scales[start / BLOCK..]).enumerate()
                {
                    let largest = values
                        .iter()
                        .fold(0, |max: u32, x| max.max(x.to_f32().abs().to_bits()));
                    // The largest code stands for 1.875; a block that is not finite stays so.
                    *scale = f32::from_bits(largest) / TOP;
                    let inverse = if *scale >= f32::MIN_POSITIVE {
                        1.0 / *scale
                    } else {
                        0.0
                    };
                    let entries = codes.iter_mut().zip(values).enumerate();
                    if *signed {
                        for (i, (code, &value)) in entries {
                            *code =
                                signed_encode(value.to_f32() * inverse, dither.at(b * BLOCK + i));
                        }
                    } else {
                        for (i, (code, &value)) in entries {
                            *code =
                                unsigned_encode(value.to_f32() * inverse, dither.at(b * BLOCK + i));
                        }
                    }
                }
            }
        }
    }
}

/// Chance without a generator: 16 bits for each entry of each state tensor at each step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dither {
    pub(crate) t: u64,
    pub(crate) first: usize,
}

impl Dither {
    /// For the state tensor at this place among the rule's.
    #[inline(always)]
    pub(crate) fn of(self, tensor: usize) -> Self {
        let t = self.t.wrapping_mul(MAX) + tensor as u64;
        Self { t, ..self }
    }

    /// 16 bits, each pattern as often as any other.
    #[inline(always)]
    fn at(self, i: usize) -> u32 {
        // The finaliser of MurmurHash3 without its last lines.
        let seed = (self.t as u32).wrapping_mul(0x9E37_79B9);
        let mut x = ((self.first + i) as u32).wrapping_add(seed);
        x = (x ^ (x >> 16)).wrapping_mul(0x85EB_CA6B);
        x = (x ^ (x >> 13)).wrapping_mul(0xC2B2_AE35);
        x >> 16
    }
}

const MAX: u64 = crate::MAX_STATE as u64;

/// What the largest 8-bit code stands for: 1.111 in binary.
const TOP: f32 = 1.875;

/// What the exponent field of an `f32` exceeds that of an 8-bit float by, in units of its last bit.
const UNSIGNED_BASE: u32 = (127 - 31) << 3;
const SIGNED_BASE: u32 = (127 - 15) << 3;

fn bf16_decode(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}

/// The upper or the lower of the two neighbours; `dither` has 16 bits.
#[inline(always)]
fn bf16_encode(value: f32, dither: u32) -> u16 {
    let bits = value.to_bits();
    // An infinity or a NaN would be carried into another.
    let finite = bits & 0x7F80_0000 != 0x7F80_0000;
    let rounded = if finite { bits + dither } else { bits };
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
    let bits = (value.to_bits() + (dither << 4)) >> 20;
    let code = bits.saturating_sub(UNSIGNED_BASE).clamp(1, 255);
    if value > 0.0 { code as u8 } else { 0 }
}

/// The highest bit is the sign; magnitude 0 is 0, magnitudes 1 to 127 are 2⁻¹⁵ · 1.125 to 1.875.
#[inline(always)]
fn signed_decode(code: u8) -> f32 {
    let code = u32::from(code);
    let magnitude = code & 0x7F;
    let sign = (code & 0x80) << 24;
    let value = f32::from_bits(((magnitude + SIGNED_BASE) << 20) | sign);
    if magnitude == 0 { 0.0 } else { value }
}

/// `value` is in [-1.875, 1.875]; what is smaller than the smallest code becomes 0.
#[inline(always)]
fn signed_encode(value: f32, dither: u32) -> u8 {
    let bits = value.to_bits();
    let magnitude = ((bits & 0x7FFF_FFFF) + (dither << 4)) >> 20;
    let code = magnitude.saturating_sub(SIGNED_BASE).min(127);
    (code | ((bits >> 24) & 0x80)) as u8
}

//! Numbers of a policy, exactly as they are written: `0.1` is a tenth.

use std::fmt;

use num_rational::Ratio;
use serde::{Deserialize, Deserializer, de};

use super::Rounding;

/// A fraction.
pub(crate) type Exact = Ratio<i128>;

/// The largest number that a policy may have, so that arithmetic never overflows.
const MOST: i128 = 1_000_000;
const DIGITS: usize = 6;

/// A number from 0 to a million with at most six digits after the point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Number(pub(crate) Exact);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Number;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(
                    f,
                    "a number from 0 to {MOST} with at most {DIGITS} digits after the point"
                )
            }
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Number, E> {
                parse(&number.to_string())
                    .ok_or_else(|| E::invalid_value(de::Unexpected::Signed(number), &self))
            }
            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Number, E> {
                // The shortest decimal that reads back as this float is what was written.
                parse(&number.to_string())
                    .ok_or_else(|| E::invalid_value(de::Unexpected::Float(number), &self))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

fn parse(text: &str) -> Option<Number> {
    let (whole, digits) = text.split_once('.').unwrap_or((text, ""));
    if digits.len() > DIGITS {
        return None;
    }
    let numerator: i128 = format!("{whole}{digits}").parse().ok()?;
    let number = Exact::new(numerator, 10_i128.pow(digits.len() as u32));
    (number >= Exact::from(0) && number <= Exact::from(MOST)).then_some(Number(number))
}

/// A number with a fixed count of digits after the point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal {
    units: i128,
    decimals: u32,
}

impl Decimal {
    /// Rounds a fraction that is not negative.
    pub(crate) fn round(exact: Exact, decimals: u32, rounding: Rounding) -> Self {
        let scaled = exact * 10_i128.pow(decimals);
        let (floor, rest) = (scaled.floor().to_integer(), scaled.fract());
        let up = match rest.cmp(&Exact::new(1, 2)) {
            std::cmp::Ordering::Less => false,
            std::cmp::Ordering::Greater => true,
            std::cmp::Ordering::Equal => rounding == Rounding::HalfUp || floor % 2 != 0,
        };
        Self {
            units: floor + i128::from(up),
            decimals,
        }
    }

    /// What is left of it; both have the same count of digits.
    pub(crate) fn minus(self, other: Self) -> Self {
        Self {
            units: self.units - other.units,
            ..self
        }
    }

    /// It as a whole number, if it is one.
    pub fn whole(self) -> Option<u64> {
        let one = 10_i128.pow(self.decimals);
        (self.units % one == 0)
            .then(|| u64::try_from(self.units / one).ok())
            .flatten()
    }

    /// The float that is nearest, which is written with the same digits.
    pub fn to_f64(self) -> f64 {
        self.units as f64 / 10_f64.powi(self.decimals as i32)
    }

    /// Whether it is nothing.
    pub fn is_zero(self) -> bool {
        self.units == 0
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let one = 10_i128.pow(self.decimals);
        let sign = if self.units < 0 { "-" } else { "" };
        let units = self.units.abs();
        if self.decimals == 0 {
            return write!(f, "{sign}{units}");
        }
        write!(
            f,
            "{sign}{}.{:0width$}",
            units / one,
            units % one,
            width = self.decimals as usize
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rounded(numerator: i128, denominator: i128, decimals: u32, rounding: Rounding) -> String {
        Decimal::round(Exact::new(numerator, denominator), decimals, rounding).to_string()
    }

    #[test]
    fn halves_go_up_or_to_the_even_neighbour() {
        // 0.285 as a float lies below the half.
        assert_eq!(rounded(285, 1000, 2, Rounding::HalfUp), "0.29");
        assert_eq!(rounded(285, 1000, 2, Rounding::HalfEven), "0.28");
        assert_eq!(rounded(275, 1000, 2, Rounding::HalfEven), "0.28");
        assert_eq!(rounded(5, 2, 0, Rounding::HalfUp), "3");
        assert_eq!(rounded(5, 2, 0, Rounding::HalfEven), "2");
        assert_eq!(rounded(2, 3, 3, Rounding::HalfEven), "0.667");
        assert_eq!(rounded(9, 1, 2, Rounding::HalfUp), "9.00");
    }

    #[test]
    fn a_float_has_the_digits_of_the_decimal() {
        for units in 0..2000 {
            let decimal = Decimal { units, decimals: 2 };
            let float = decimal.to_f64().to_string();
            assert_eq!(
                float.parse::<f64>().unwrap(),
                decimal.to_string().parse::<f64>().unwrap()
            );
            assert!(float.len() <= decimal.to_string().len(), "{float}");
        }
    }

    #[test]
    fn numbers_are_what_is_written() {
        assert_eq!(parse("0.1"), Some(Number(Exact::new(1, 10))));
        assert_eq!(parse("7"), Some(Number(Exact::from(7))));
        for bad in ["-1", "1000001", "0.1234567", "NaN", "inf", "1e3"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}

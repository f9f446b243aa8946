use crate::format;

/// An axis: what it shows, how it is scaled and where it begins and ends.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Axis {
    pub(crate) label: String,
    pub(crate) log: bool,
    pub(crate) range: Option<(f64, f64)>,
}

/// Why a coordinate has no place on an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gap {
    NotFinite,
    NotPositive,
}

impl Axis {
    /// The place of a value: the value itself, or its power of ten on a log axis.
    pub(crate) fn place(&self, value: f64) -> Result<f64, Gap> {
        if !value.is_finite() {
            Err(Gap::NotFinite)
        } else if !self.log {
            Ok(value)
        } else if value > 0.0 {
            Ok(value.log10())
        } else {
            Err(Gap::NotPositive)
        }
    }

    /// The ends of the axis in places: those that were asked for, or those of the values with some room.
    pub(crate) fn ends(&self, places: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
        if let Some((low, high)) = self.range
            && let (Ok(low), Ok(high)) = (self.place(low), self.place(high))
            && low < high
        {
            return Some((low, high));
        }
        let (low, high) = places.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), p| {
            (low.min(p), high.max(p))
        });
        if low > high {
            return None;
        }
        let width = high - low;
        let room = if width > 1e-12 * low.abs().max(high.abs()) {
            0.03 * width
        } else if self.log || low == 0.0 {
            0.5
        } else {
            0.1 * low.abs()
        };
        // An axis that begins close above zero begins at zero.
        let near_zero = !self.log && low > 0.0 && low < 0.1 * high;
        Some((if near_zero { 0.0 } else { low - room }, high + room))
    }

    /// The ticks between two places: where each stands and what it says.
    pub(crate) fn ticks(&self, ends: (f64, f64), wanted: usize) -> Vec<(f64, String)> {
        if self.log {
            log_ticks(ends, wanted)
        } else {
            linear_ticks(ends, wanted)
        }
    }
}

/// Multiples of 1, 2 or 5 times a power of ten.
fn linear_ticks((low, high): (f64, f64), wanted: usize) -> Vec<(f64, String)> {
    let rough = (high - low) / wanted.max(1) as f64;
    let power = format::exponent(rough).unwrap_or(0);
    let (mantissa, carry) = match rough / 10f64.powi(power) {
        m if m <= 1.0 + 1e-9 => (1.0, 0),
        m if m <= 2.0 + 1e-9 => (2.0, 0),
        m if m <= 5.0 + 1e-9 => (5.0, 0),
        _ => (1.0, 1),
    };
    let power = power + carry;
    // Ticks are whole multiples of the step, divided where the step is a fraction: 3 · 0.1 would print as 0.30000000000000004.
    let value = |k: f64| {
        if power < 0 {
            k * mantissa / 10f64.powi(-power)
        } else {
            k * mantissa * 10f64.powi(power)
        }
    };
    let step = value(1.0);
    let first = (low / step - 1e-9).ceil() as i64;
    let last = (high / step + 1e-9).floor() as i64;
    let values: Vec<f64> = (first..=last).map(|k| value(k as f64)).collect();
    let largest = values.iter().fold(0.0_f64, |a, x| a.max(x.abs()));
    let decimals = (-power).max(0) as usize;
    let plain = decimals <= 5 && largest < 1e6;
    let text = |x: f64| {
        minus(&if plain {
            format::fixed(x, decimals)
        } else {
            let digits = format::exponent(largest).unwrap_or(0) - power;
            format::scientific_short(x, digits.max(0) as usize)
        })
    };
    values.into_iter().map(|x| (x, text(x))).collect()
}

/// Powers of ten, thinned to what fits, or multiples of them where the axis is short.
fn log_ticks((low, high): (f64, f64), wanted: usize) -> Vec<(f64, String)> {
    let decades: Vec<i32> = ((low - 1e-9).ceil() as i32..=(high + 1e-9).floor() as i32).collect();
    let mut ticks: Vec<f64> = Vec::new();
    if decades.len() >= 3 {
        let every = decades.len().div_ceil(wanted.max(2)) as i32;
        ticks.extend(
            decades
                .iter()
                .filter(|d| d.rem_euclid(every) == 0)
                .map(|d| 10f64.powi(*d)),
        );
    } else {
        let all = (low.floor() as i32)..=(high.ceil() as i32);
        for multiples in [&[1.0, 2.0, 5.0][..], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0]] {
            ticks = all
                .clone()
                .flat_map(|d| multiples.iter().map(move |m| m * 10f64.powi(d)))
                .filter(|x| (low..=high).contains(&x.log10()))
                .collect();
            if ticks.len() >= 3 {
                break;
            }
        }
    }
    if ticks.len() < 3 {
        return linear_ticks((10f64.powf(low), 10f64.powf(high)), wanted)
            .into_iter()
            .filter(|(x, _)| *x > 0.0)
            .map(|(x, text)| (x.log10(), text))
            .collect();
    }
    let plain = ticks.iter().all(|x| (0.999e-3..1.001e4).contains(x));
    let text = |x: f64| {
        minus(&if plain || x == 1.0 || x == 10.0 {
            format::number(x)
        } else {
            format::scientific_short(x, 1)
        })
    };
    ticks.into_iter().map(|x| (x.log10(), text(x))).collect()
}

/// The sign that stands on the height of the digits.
fn minus(text: &str) -> String {
    text.replace('-', "\u{2212}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(axis: &Axis, low: f64, high: f64) -> Vec<String> {
        let ends = (axis.place(low).unwrap(), axis.place(high).unwrap());
        axis.ticks(ends, 5).into_iter().map(|(_, t)| t).collect()
    }

    #[test]
    fn linear_ticks_are_round_numbers() {
        let axis = Axis::default();
        assert_eq!(
            texts(&axis, 0.0, 1.0),
            ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]
        );
        assert_eq!(texts(&axis, -1.3, 2.9), ["\u{2212}1", "0", "1", "2"]);
        assert_eq!(texts(&axis, 0.0, 3e7), ["0", "1e7", "2e7", "3e7"]);
    }

    #[test]
    fn log_ticks_are_powers_of_ten_and_multiples_when_the_axis_is_short() {
        let axis = Axis {
            log: true,
            ..Axis::default()
        };
        assert_eq!(texts(&axis, 1.0, 1e4), ["1", "10", "100", "1000", "10000"]);
        assert_eq!(texts(&axis, 0.9, 11.0), ["1", "2", "5", "10"]);
        assert_eq!(
            texts(&axis, 1e-6, 1.0),
            ["1e\u{2212}6", "1e\u{2212}4", "1e\u{2212}2", "1"]
        );
        assert!(texts(&axis, 2.1, 2.9).len() >= 3);
    }

    #[test]
    fn what_a_log_axis_cannot_place_is_named() {
        let axis = Axis {
            log: true,
            ..Axis::default()
        };
        assert_eq!(axis.place(0.0), Err(Gap::NotPositive));
        assert_eq!(axis.place(f64::NAN), Err(Gap::NotFinite));
        assert_eq!(axis.place(100.0), Ok(2.0));
    }

    #[test]
    fn a_single_value_still_has_an_axis() {
        let axis = Axis::default();
        let (low, high) = axis.ends([3.0].into_iter()).unwrap();
        assert!(low < 3.0 && 3.0 < high);
        assert_eq!(axis.ends(std::iter::empty()), None);
        assert_eq!(axis.ends([1.0, 300.0].into_iter()).unwrap().0, 0.0);
    }
}

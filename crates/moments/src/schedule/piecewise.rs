use super::{Number, Schedule, check_order, half_cosine, mix};
use crate::Error;
use std::fmt;

/// A list of updates and learning rates, with a curve from each to the next.
///
/// ```text
/// lr(t) = lrᵢ + (lrᵢ₊₁ − lrᵢ) · f(u)        u = (t − tᵢ) / (tᵢ₊₁ − tᵢ),  tᵢ ≤ t < tᵢ₊₁
///
/// f(u) = 0                                 Between::Hold
/// f(u) = u                                 Between::Linear
/// f(u) = (1 − cos(π u)) / 2                Between::Cosine
/// ```
/// Before the first point it has the first learning rate, from the last point on the last. Of points at the same update the last counts.
///
/// # Example
/// ```
/// use moments::schedule::{Between, Piecewise, Schedule};
///
/// let schedule = Piecewise { points: vec![(0, 0.0), (2, 1.0), (6, 0.5)], between: Between::Linear };
/// assert_eq!(schedule.values(8), [0.0, 0.5, 1.0, 0.875, 0.75, 0.625, 0.5, 0.5]);
/// assert_eq!(schedule.to_string(), "linear between 0 at 0, 1 at 2, 0.5 at 6");
/// ```
///
/// # Errors
/// `validate` refuses an empty list, updates that decrease and a learning rate that is negative or not finite.
///
/// # Differences from PyTorch and optax
/// `optax.piecewise_constant_schedule` and `optax.piecewise_interpolate_schedule` give each boundary a factor on the value before:
/// [`Piecewise::optax`] takes them so. PyTorch has none.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
pub struct Piecewise {
    /// Pairs (update, learning rate), in the order of the updates.
    pub points: Vec<(u64, f64)>,
    /// The curve from each point to the next.
    pub between: Between,
}

/// The curve between two points.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum Between {
    /// The value of the point before.
    #[default]
    Hold,
    /// A straight line.
    Linear,
    /// Half a wave of a cosine.
    Cosine,
}

impl Piecewise {
    /// As optax writes it: a first value at update 0, and boundaries with the factor that each applies to the value before.
    pub fn optax(init: f64, boundaries_and_scales: &[(u64, f64)], between: Between) -> Self {
        let mut points = vec![(0, init)];
        let mut lr = init;
        for &(boundary, scale) in boundaries_and_scales {
            lr *= scale;
            points.push((boundary, lr));
        }
        Self { points, between }
    }
}

impl Schedule for Piecewise {
    fn at(&self, done: u64) -> f64 {
        let next = self.points.partition_point(|&(update, _)| update <= done);
        let (since, from) = match (next.checked_sub(1), self.points.first()) {
            (Some(last), _) => self.points[last],
            (None, Some(&(_, lr))) => return lr,
            (None, None) => return f64::NAN,
        };
        let Some(&(until, to)) = self.points.get(next) else {
            return from;
        };
        let u = done.saturating_sub(since) as f64 / until.saturating_sub(since) as f64;
        let left = match self.between {
            Between::Hold => 1.0,
            Between::Linear => 1.0 - u,
            Between::Cosine => half_cosine(u, 1.0),
        };
        mix(from, to, left)
    }

    fn validate(&self) -> Result<(), Error> {
        let count = self.points.len() as f64;
        let holds = !self.points.is_empty();
        Error::unless(holds, "Piecewise", "points", count, "at least 1 point")?;
        check_order(
            "Piecewise",
            "points",
            self.points.iter().map(|&(update, _)| update),
        )?;
        for &(_, lr) in &self.points {
            Error::check_non_negative("Piecewise", "points", lr)?;
        }
        Ok(())
    }
}

impl fmt::Display for Piecewise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.between {
            Between::Hold => "constant from ",
            Between::Linear => "linear between ",
            Between::Cosine => "cosine between ",
        })?;
        for (i, &(update, lr)) in self.points.iter().enumerate() {
            let comma = if i == 0 { "" } else { ", " };
            write!(f, "{comma}{} at {update}", Number(lr))?;
        }
        Ok(())
    }
}

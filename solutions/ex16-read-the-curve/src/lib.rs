//! # Exercise 16: read the curve, solved
//!
//! Four questions, each a function; the first one that has an answer decides.

/// What was logged of a run. All lists but the last have one entry for each step, and as many as there are steps.
#[derive(Clone, Debug)]
pub struct Log {
    /// The training loss before each step: that of its batch.
    pub train: Vec<f64>,
    /// The validation loss before each step.
    pub validation: Vec<f64>,
    /// The learning rate of each step.
    pub lr: Vec<f64>,
    /// The norm of each step's update, divided by the norm of the weights before it.
    pub update_ratio: Vec<f64>,
    /// How far the weight of each column has moved in the whole run: the sum of the sizes of its updates. There may be no columns.
    pub moved: Vec<f64>,
}

/// What is wrong with a run. Steps and columns are counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    Healthy,
    /// The training loss is NaN or infinite from one step to the next: look at the data of that step.
    NotANumber {
        /// The first step out of range.
        step: usize,
    },
    /// The training loss grows: the learning rate is too large.
    Diverges {
        /// The first step out of range.
        step: usize,
    },
    /// The training loss grows once the learning rate has reached its peak: the peak is too high, or is reached too soon.
    ExplodesAfterWarmup {
        /// The first step out of range.
        step: usize,
    },
    /// The weight of a column is not trained: its values are tiny or rare, and plain gradient descent gives it no step.
    ColumnStandsStill {
        /// The column that has moved least.
        column: usize,
    },
    /// The training loss does not fall, for the weights jump from side to side: the learning rate is too large.
    Bounces,
    /// The training loss does not fall, for the weights hardly move: the learning rate is too small.
    TooSlow,
    /// The validation loss has fallen and risen again: training went on for too long.
    Overfits {
        /// The step of the lowest validation loss.
        best: usize,
    },
}

/// Names the fault of a run, by the first question that is answered with yes.
pub fn read(log: &Log) -> Fault {
    if log.train.is_empty() {
        return Fault::Healthy;
    }
    leaves_its_range(log)
        .or_else(|| stands_still(log))
        .or_else(|| does_not_fall(log))
        .or_else(|| rises_again(log))
        .unwrap_or(Fault::Healthy)
}

fn leaves_its_range(log: &Log) -> Option<Fault> {
    let bound = 10.0 * log.train[0];
    // NaN is not above any bound, so it is asked for by name.
    let out = |loss: &f64| !loss.is_finite() || *loss > bound;
    let step = log.train.iter().position(out)?;

    let largest = log.lr.iter().copied().fold(0.0, f64::max);
    let peak = log.lr.iter().position(|&lr| lr == largest)?;
    Some(if !log.train[step].is_finite() {
        Fault::NotANumber { step }
    } else if peak > 0 && step >= peak {
        Fault::ExplodesAfterWarmup { step }
    } else {
        Fault::Diverges { step }
    })
}

fn stands_still(log: &Log) -> Option<Fault> {
    let column = place_of_smallest(&log.moved)?;
    let largest = log.moved.iter().copied().fold(0.0, f64::max);
    (log.moved[column] < 0.001 * largest).then_some(Fault::ColumnStandsStill { column })
}

fn does_not_fall(log: &Log) -> Option<Fault> {
    let k = tenth(log);
    let falls = end(&log.train, k) <= 0.8 * mean(&log.train[..k]);
    // Two opposite faults with one curve: only the size of the updates tells them apart.
    let jumps = end(&log.update_ratio, k) > 0.1;
    match (falls, jumps) {
        (true, _) => None,
        (false, true) => Some(Fault::Bounces),
        (false, false) => Some(Fault::TooSlow),
    }
}

fn rises_again(log: &Log) -> Option<Fault> {
    let best = place_of_smallest(&log.validation)?;
    let risen = end(&log.validation, tenth(log)) > 1.5 * log.validation[best];
    risen.then_some(Fault::Overfits { best })
}

/// A tenth of the steps, but at least one.
fn tenth(log: &Log) -> usize {
    (log.train.len() / 10).max(1)
}

/// The mean of the last `k` values.
fn end(values: &[f64], k: usize) -> f64 {
    mean(&values[values.len() - k..])
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Where the smallest value is: the first place, if there are several.
fn place_of_smallest(values: &[f64]) -> Option<usize> {
    (0..values.len()).min_by(|&a, &b| values[a].total_cmp(&values[b]))
}

//! # Exercise 16: read the curve
//!
//! A run has been logged, and something may be wrong with it. Say what.
//!
//! These are the questions, in their order; the first one that is answered with yes decides:
//!
//! ```text
//! 1  Does the training loss leave its range?          a loss is NaN or infinite, or above 10 · train[0]; step is the first such step
//!      that loss is NaN or infinite                   NotANumber { step }
//!      else, p > 0 and step ≥ p                       ExplodesAfterWarmup { step }       p is the first step with the largest lr
//!      else                                           Diverges { step }
//! 2  Does a column stand still?                       the smallest of moved < 0.001 · the largest of moved
//!                                                     ColumnStandsStill { column }       the smallest, the first if several are equal
//! 3  Does the training loss not fall?                 end(train) > 0.8 · beginning(train)
//!      end(update_ratio) > 0.1                        Bounces
//!      else                                           TooSlow
//! 4  Has the validation loss risen again?             end(validation) > 1.5 · the smallest of validation
//!                                                     Overfits { best }                  the step of the smallest, the first if several are
//! 5  None of these, or a log without steps            Healthy
//!
//! end(x) is the mean of the last k entries of x, beginning(x) that of the first k; k is a tenth of the steps, rounded down, but at least 1.
//! ```
//!
//! Losses are in any unit; the update ratio has none; `moved` is in units of the weights.
//! In a run that has left its range everything after that step may be NaN or infinite.
//! No run of the tests is close to a threshold, so rounding decides nothing.
//!
//! Some runs of eight steps, so that k is 1:
//!
//! ```text
//! Healthy: lr 0.45 at every step; moved 1.37, 1.37
//!   train             1.99    0.558    0.171   0.0626   0.0293   0.0176   0.0128   0.0104
//!   validation        2.17    0.623    0.222    0.116   0.0852   0.0742   0.0687   0.0651
//!   update ratio      3.45     0.66    0.212   0.0965   0.0517   0.0314    0.021   0.0151
//!
//! Diverges { step: 2 }: lr 3 at every step; moved 33300, 52800
//!   train             3.19     31.5      353     4070    47100   5.47e5   6.34e6   7.36e7
//!   validation         2.1     22.3      229     2670    30700   3.57e5   4.13e6   4.79e7
//!   update ratio      45.7     3.25     4.83     4.29     4.44      4.4     4.41     4.41
//!
//! ExplodesAfterWarmup { step: 6 }: moved 266, 29.2
//!   lr                 0.7      1.4      2.1      2.8      3.5      3.5      3.5      3.5
//!   train             3.77    0.126   0.0848    0.145    0.656     7.05     84.9     1120
//!   validation        1.91    0.126   0.0581    0.143    0.252     3.87     43.9      666
//!   update ratio      6.81    0.344    0.274    0.777     1.38     8.42     3.93     4.93
//!
//! NotANumber { step: 4 }: lr 0.15 at every step; moved NaN, NaN
//!   train            0.747     2.72     1.17     1.42      NaN      NaN      NaN      NaN
//!   validation        2.03     1.85     1.28     1.06    0.785      NaN      NaN      NaN
//!   update ratio     0.576     2.82    0.526    0.559      NaN      NaN      NaN      NaN
//!
//! ColumnStandsStill { column: 1 }: lr 0.7 at every step; moved 1.43, 4.32e-5
//!   train             1.04    0.148   0.0553   0.0457   0.0447   0.0446   0.0446   0.0446
//!   validation       0.933    0.137   0.0558   0.0476   0.0468   0.0467   0.0467   0.0468
//!   update ratio      3.09    0.391   0.0913    0.027  0.00845   0.0027  8.66e-4  2.78e-4
//!
//! TooSlow: lr 0.001 at every step; moved 0.0175, 0.00981
//!   train             2.24     2.23     2.23     2.22     2.21     2.21      2.2      2.2
//!   validation         1.2     1.19     1.19     1.19     1.18     1.18     1.18     1.17
//!   update ratio    0.0169   0.0168   0.0168   0.0168   0.0168   0.0167   0.0167   0.0166
//!
//! Bounces: lr 2 at every step; moved 17.4, 24.2
//!   train             1.75     1.75     1.76     1.77     1.78     1.78     1.79      1.8
//!   validation        1.65     1.91     1.66     1.93     1.67     1.94     1.69     1.96
//!   update ratio      10.9    0.918     11.2     0.92     11.5    0.922     11.8    0.924
//!
//! Overfits { best: 2 }: lr 0.852 at every step; moved 1.81, 0.632, 0.397, 0.22, 0.141, 0.247, 0.162, 0.297
//!   train              1.8    0.113   0.0379   0.0179  0.00857  0.00412  0.00198  9.51e-4
//!   validation        1.85   0.0971   0.0577   0.0738   0.0912    0.106    0.116    0.124
//!   update ratio      34.2    0.191   0.0771   0.0501    0.034   0.0233    0.016    0.011
//! ```
//!
//! Test it with `cargo course test ex16` or `cargo test -p ex16-read-the-curve`; get a hint with `cargo course hint ex16`.

// The body below does not use its argument yet. Delete this line when it does.
#![allow(unused_variables)]

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
    todo!("read")
}

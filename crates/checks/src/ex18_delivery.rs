//! Exercise 18, the capstone: four optimizers on the delivery-time predictor, a table of losses, and a choice.
//!
//! The names of a case carry its packages, as `train 2.5 10 33` and `validation ..`: distance, weight, hours.
//! `loss` and `gradient` take θ as input. `train` takes no input: its settings are `lr` and `steps`, and a name says which optimizer.
//! `table` and `best` take the learning rates as input, with the setting `steps`.
//! `choose` takes a table, row after row, as input; the learning rates are names, as `rate 0.1`. An answer None is shown as optimizer -1.

use std::sync::OnceLock;

use crate::case::{Case, Frame};
use crate::common::function;
use crate::exercise::{Check, Exercise, Mutant, Step, Variant};
use crate::random::Random;

/// The exercise.
pub static EXERCISE: Exercise = Exercise {
    id: "ex18",
    slug: "ex18-delivery",
    checks: CHECKS,
    mutants: MUTANTS,
    variants: VARIANTS,
    probes,
};

/// A package: distance in hundreds of km, weight in kg, hours.
pub type Package = [f64; 3];

/// The parameters: hours per 100 km, hours per kg, hours.
pub type Theta = [f64; 3];

/// A row of losses for each optimizer, a column for each learning rate.
pub type Table = [Vec<f64>; 4];

/// The losses before each step, and θ after the last.
pub type Run = (Vec<f64>, Theta);

/// An optimizer and a learning rate, if there is a choice.
pub type Choice = Option<(usize, f64)>;

/// An optimizer, a learning rate and the θ they lead to, if there is a choice.
pub type Best = Option<(usize, f64, Theta)>;

/// A learner's `train`.
pub type Train = fn(usize, f64, &[Package], usize) -> Run;

/// A learner's `table`.
pub type Tabulate = fn(&[f64], &[Package], &[Package], usize) -> Table;

/// A learner's `best`.
pub type Deliver = fn(&[f64], &[Package], &[Package], usize) -> Best;

/// What a learner writes. Optimizers are numbers: 0 SGD, 1 momentum, 2 AdaGrad, 3 Adam.
#[derive(Clone, Copy, Debug)]
pub struct Code {
    /// `loss(theta, data)`.
    pub loss: fn(&Theta, &[Package]) -> f64,
    /// `gradient(theta, data)`.
    pub gradient: fn(&Theta, &[Package]) -> Theta,
    /// `train(optimizer, lr, data, steps)`: the losses before each step and θ after the last.
    pub train: Train,
    /// `table(rates, train, validation, steps)`.
    pub table: Tabulate,
    /// `choose(rates, table)`: an optimizer and a learning rate.
    pub choose: fn(&[f64], &Table) -> Choice,
    /// `best(rates, train, validation, steps)`: an optimizer, a learning rate and θ.
    pub best: Deliver,
}

/// Puts a learner's code through the check of that name.
///
/// # Panics
/// If the check does not hold; the message is on standard output.
pub fn check(name: &str, code: Code) {
    crate::verdict(&EXERCISE, name, start(code));
}

/// A learner's code as a subject: what a check drives.
pub fn start(code: Code) -> impl Fn(&Case) -> Step + Send + 'static {
    move |case| {
        ask(case, move |call| match call {
            Call::Loss { theta, data } => vec![vec![(code.loss)(theta, data)]],
            Call::Gradient { theta, data } => vec![(code.gradient)(theta, data).to_vec()],
            Call::Train {
                optimizer,
                lr,
                data,
                steps,
            } => shown_run((code.train)(optimizer, lr, data, steps)),
            Call::Table {
                rates,
                train,
                validation,
                steps,
            } => (code.table)(rates, train, validation, steps).to_vec(),
            Call::Choose { rates, table } => shown_choice((code.choose)(rates, table)),
            Call::Best {
                rates,
                train,
                validation,
                steps,
            } => shown_best((code.best)(rates, train, validation, steps)),
        })
    }
}

/// A call of one of the six functions.
enum Call<'a> {
    Loss {
        theta: &'a Theta,
        data: &'a [Package],
    },
    Gradient {
        theta: &'a Theta,
        data: &'a [Package],
    },
    Train {
        optimizer: usize,
        lr: f64,
        data: &'a [Package],
        steps: usize,
    },
    Table {
        rates: &'a [f64],
        train: &'a [Package],
        validation: &'a [Package],
        steps: usize,
    },
    Choose {
        rates: &'a [f64],
        table: &'a Table,
    },
    Best {
        rates: &'a [f64],
        train: &'a [Package],
        validation: &'a [Package],
        steps: usize,
    },
}

/// Makes the calls of a case: each input is one.
fn ask(case: &Case, answer: impl Fn(Call<'_>) -> Frame + 'static) -> Step {
    let call = case.call;
    let lines = |kind: &str| -> Vec<Vec<f64>> {
        let found = case.names.iter().filter_map(|name| {
            let (word, numbers) = name.split_once(' ')?;
            (word == kind).then_some(numbers)
        });
        let number = |text: &str| text.parse().expect("a number in a name");
        found
            .map(|numbers| numbers.split(' ').map(number).collect())
            .collect()
    };
    let packages = |kind: &str| -> Vec<Package> {
        let lines = lines(kind).into_iter();
        lines.map(|line| [line[0], line[1], line[2]]).collect()
    };
    let (train, validation) = (packages("train"), packages("validation"));
    let optimizer = NAMES
        .iter()
        .position(|name| case.names.iter().any(|line| line == name));
    let choices = lines("rate").concat();
    let lr = if call == TRAIN {
        case.setting("lr")
    } else {
        0.0
    };
    let counts = case.channels == COUNT;
    let steps = if [TRAIN, TABLE, BEST].contains(&call) {
        case.setting("steps") as usize
    } else {
        0
    };
    function(move |input| {
        let theta = || <&Theta>::try_from(input).expect("an input is three parameters");
        match call {
            LOSS => answer(Call::Loss {
                theta: theta(),
                data: &train,
            }),
            GRADIENT => answer(Call::Gradient {
                theta: theta(),
                data: &train,
            }),
            TRAIN => {
                let frame = answer(Call::Train {
                    optimizer: optimizer.expect("the case names an optimizer"),
                    lr,
                    data: &train,
                    steps,
                });
                if counts {
                    vec![vec![frame[0].len() as f64]]
                } else {
                    frame
                }
            }
            TABLE => answer(Call::Table {
                rates: input,
                train: &train,
                validation: &validation,
                steps,
            }),
            CHOOSE => {
                let columns = choices.len();
                let row = |r: usize| input[r * columns..(r + 1) * columns].to_vec();
                answer(Call::Choose {
                    rates: &choices,
                    table: &[row(0), row(1), row(2), row(3)],
                })
            }
            _ => answer(Call::Best {
                rates: input,
                train: &train,
                validation: &validation,
                steps,
            }),
        }
    })
}

fn shown_run((losses, theta): Run) -> Frame {
    vec![losses, theta.to_vec()]
}

/// A choice as numbers of which there are always as many, so that None differs in a value and not in a length.
fn shown_choice(choice: Choice) -> Frame {
    let (optimizer, lr) = choice.map_or((-1.0, 0.0), |(row, lr)| (row as f64, lr));
    vec![vec![optimizer], vec![lr]]
}

fn shown_best(best: Best) -> Frame {
    let mut frame = shown_choice(best.map(|(row, lr, _)| (row, lr)));
    frame.push(best.map_or([0.0; 3], |(_, _, theta)| theta).to_vec());
    frame
}

// --- Data and cases ---------------------------------------------------------------------------------------------------

const LOSS: &str = "loss";
const GRADIENT: &str = "gradient";
const TRAIN: &str = "train";
const TABLE: &str = "table";
const CHOOSE: &str = "choose";
const BEST: &str = "best";

/// What a case of `train` shows where its losses overflow: whether one is infinite or NaN depends on the order of operations.
const COUNT: &[&str] = &["number of losses"];

const NAMES: [&str; 4] = ["SGD", "momentum", "AdaGrad", "Adam"];
const ROWS: &[&str] = &[
    "the row of SGD",
    "the row of momentum",
    "the row of AdaGrad",
    "the row of Adam",
];

/// Three packages for which everything can be computed by hand.
const THREE: [Package; 3] = [[1.0, 2.0, 20.0], [2.0, 10.0, 30.0], [4.0, 4.0, 50.0]];

/// Packages like those of the course: 100 to 500 km, up to 20 kg, and hours that scatter by two around a line.
fn packages(random: &mut Random, count: usize) -> Vec<Package> {
    let package = |random: &mut Random| loop {
        let (distance, weight) = (random.between(0.5, 5.0), random.between(0.2, 20.0));
        let scatter: f64 = random.vector(12, -1.0, 1.0).iter().sum();
        let hours = 11.0 * distance + 0.55 * weight + 3.0 + scatter;
        if (1.0..=72.0).contains(&hours) {
            break [distance, weight, hours];
        }
    };
    (0..count).map(|_| package(random)).collect()
}

/// A bound on the largest curvature of the loss: the trace of its Hessian. Gradient descent is stable below 2 divided by it.
fn curvature(data: &[Package]) -> f64 {
    let squares = data.iter().map(|[d, w, _]| d * d + w * w + 1.0);
    2.0 * squares.sum::<f64>() / data.len() as f64
}

fn counted(count: usize) -> String {
    format!("{count} package{}", if count == 1 { "" } else { "s" })
}

fn lines(kind: &str, data: &[Package]) -> Vec<String> {
    let line = |[d, w, h]: &Package| format!("{kind} {d} {w} {h}");
    data.iter().map(line).collect()
}

/// A case of `loss` or `gradient`.
fn at_points(about: &str, call: &'static str, data: &[Package], points: Vec<Vec<f64>>) -> Case {
    let channels: &[&str] = if call == LOSS {
        &["loss"]
    } else {
        &["gradient"]
    };
    let mut case = Case::given(about, call, channels, Vec::new(), Vec::new(), points);
    case.names = lines("train", data);
    case
}

fn training(about: &str, optimizer: usize, lr: f64, data: &[Package], steps: usize) -> Case {
    let settings = vec![("lr", lr), ("steps", steps as f64)];
    let about = format!("{}, {about}", NAMES[optimizer]);
    let channels = &["losses", "theta"];
    let inputs = vec![Vec::new()];
    let mut case = Case::given(about, TRAIN, channels, settings, Vec::new(), inputs);
    case.names = lines("train", data);
    case.names.push(NAMES[optimizer].to_owned());
    case
}

/// A run whose losses become infinite and then NaN; what is seen is how many there are.
fn overflowing(optimizer: usize) -> Case {
    let about = "a run that overflows, and has a loss for each step all the same";
    let mut case = training(about, optimizer, 1e6, &THREE, 60);
    case.channels = COUNT;
    case
}

/// A case of `table` or `best`.
fn whole(
    about: &str,
    call: &'static str,
    rates: &[f64],
    [train, validation]: [&[Package]; 2],
    steps: usize,
) -> Case {
    let settings = vec![("steps", steps as f64)];
    let channels: &[&str] = if call == TABLE {
        ROWS
    } else {
        &["optimizer", "lr", "theta"]
    };
    let inputs = vec![rates.to_vec()];
    let mut case = Case::given(about, call, channels, settings, Vec::new(), inputs);
    case.names = lines("train", train);
    case.names.extend(lines("validation", validation));
    case
}

fn choosing(about: &str, rates: &[f64], table: &Table) -> Case {
    let channels = &["optimizer", "lr"];
    let inputs = vec![table.concat()];
    let mut case = Case::given(about, CHOOSE, channels, Vec::new(), Vec::new(), inputs);
    case.names = rates.iter().map(|rate| format!("rate {rate}")).collect();
    case
}

/// What a table is called, the table, and the row and column that are chosen from it.
type Puzzle = (&'static str, Table, Option<(usize, usize)>);

/// Tables with what is easily got wrong.
fn tables() -> Vec<Puzzle> {
    let (inf, nan) = (f64::INFINITY, f64::NAN);
    let row = |values: [f64; 4]| values.to_vec();
    vec![
        (
            "the least loss is momentum's with the third rate",
            [
                row([9.0, 8.0, 7.0, 6.5]),
                row([7.5, 6.0, 4.0, 20.0]),
                row([8.0, 5.0, 5.5, 6.0]),
                row([30.0, 4.5, 4.75, 4.25]),
            ],
            Some((1, 2)),
        ),
        (
            "the least loss is that of a rate that is bad for all others",
            [
                row([300.0, 8.0, 7.0, 6.0]),
                row([400.0, 6.0, 5.0, 5.0]),
                row([2.0, 5.0, 5.5, 6.0]),
                row([500.0, 3.5, 3.75, 3.25]),
            ],
            Some((2, 0)),
        ),
        (
            "SGD has the least loss, although Adam is better on the whole",
            [
                row([90.0, 80.0, 1.5, 70.0]),
                row([7.0, 6.0, 4.0, 5.0]),
                row([8.0, 5.0, 5.5, 6.0]),
                row([2.0, 2.5, 2.75, 2.25]),
            ],
            Some((0, 2)),
        ),
        (
            "four equal losses: two in one row, two in one column",
            [
                row([9.0, 8.0, 7.0, 6.0]),
                row([8.0, 7.5, 2.0, 2.0]),
                row([8.0, 2.0, 5.5, 6.0]),
                row([3.0, 4.5, 2.0, 4.25]),
            ],
            Some((1, 2)),
        ),
        (
            "a loss of exactly 0",
            [
                row([9.0, 8.0, 7.0, 6.0]),
                row([8.0, 7.5, 3.0, 2.0]),
                row([8.0, 2.5, 5.5, 0.0]),
                row([1.0, 4.5, 2.5, 4.25]),
            ],
            Some((2, 3)),
        ),
        (
            "large losses, one of them finite",
            [
                row([inf; 4]),
                row([inf, inf, 1e300, inf]),
                row([inf; 4]),
                row([inf; 4]),
            ],
            Some((1, 2)),
        ),
        (
            "NaN in the first cell",
            [
                row([nan, 8.0, 7.0, 6.0]),
                row([7.0, 6.0, 4.0, 5.0]),
                row([8.0, 5.0, 5.5, 6.0]),
                row([3.0, 4.5, 2.5, 4.25]),
            ],
            Some((3, 2)),
        ),
        (
            "NaN in the last cell and after the least loss",
            [
                row([9.0, 8.0, 7.0, 6.0]),
                row([7.0, 6.0, 1.0, nan]),
                row([8.0, 5.0, 5.5, 6.0]),
                row([3.0, 4.5, 2.5, nan]),
            ],
            Some((1, 2)),
        ),
        (
            "NaN with a minus sign, which is what inf - inf gives on many machines",
            [
                row([9.0, inf, inf, -nan.abs()]),
                row([7.0, 6.0, 4.0, 5.0]),
                row([8.0, 5.0, 3.5, 6.0]),
                row([4.0, 4.5, 4.25, 3.75]),
            ],
            Some((2, 2)),
        ),
        (
            "every run has diverged",
            [
                row([inf, nan, inf, nan]),
                row([inf; 4]),
                row([nan; 4]),
                row([inf, inf, nan, nan]),
            ],
            None,
        ),
    ]
}

/// The rates of [`tables`]: not sorted, so that of equal losses the first has neither the smallest rate nor the largest.
const RATES: [f64; 4] = [0.01, 0.3, 0.1, 0.001];

// --- Oracles ----------------------------------------------------------------------------------------------------------

/// The means of the products of (distance, weight, 1) with one another and with hours, and the mean of hours squared:
/// the loss is a parabola, and these are its coefficients.
fn means(data: &[Package]) -> ([[f64; 3]; 3], [f64; 3], f64) {
    let (mut products, mut hours, mut squares) = ([[0.0; 3]; 3], [0.0; 3], 0.0);
    let share = 1.0 / data.len() as f64;
    for &[d, w, h] in data {
        let x = [d, w, 1.0];
        for i in 0..3 {
            for j in 0..3 {
                products[i][j] += share * x[i] * x[j];
            }
            hours[i] += share * x[i] * h;
        }
        squares += share * h * h;
    }
    (products, hours, squares)
}

/// The loss from those means: θᵀ P θ - 2 qᵀ θ + mean of hours².
fn parabola(theta: &Theta, data: &[Package]) -> f64 {
    let (products, hours, squares) = means(data);
    let mut sum = squares;
    for i in 0..3 {
        sum -= 2.0 * hours[i] * theta[i];
        for j in 0..3 {
            sum += theta[i] * products[i][j] * theta[j];
        }
    }
    sum
}

/// Its derivative: 2 (P θ - q).
fn slope(theta: &Theta, data: &[Package]) -> Theta {
    let (products, hours, _) = means(data);
    let entry = |i: usize| {
        let product: f64 = (0..3).map(|j| products[i][j] * theta[j]).sum();
        2.0 * (product - hours[i])
    };
    [entry(0), entry(1), entry(2)]
}

/// The loss package by package, which unlike the parabola has no large terms that cancel.
fn squared_error(theta: &Theta, data: &[Package]) -> f64 {
    let squares = data
        .iter()
        .map(|[d, w, h]| (h - theta[2] - theta[1] * w - theta[0] * d).powi(2));
    squares.sum::<f64>() / data.len() as f64
}

type Affine = [[f64; 4]; 4];

fn times(a: &Affine, b: &Affine) -> Affine {
    let entry = |i: usize, j: usize| (0..4).map(|k| a[i][k] * b[k][j]).sum();
    std::array::from_fn(|i| std::array::from_fn(|j| entry(i, j)))
}

/// Gradient descent in closed form: one step maps (θ, 1) to ((I - 2 lr P) θ + 2 lr q, 1), and t steps are the power t of that matrix.
fn descent(lr: f64, data: &[Package], steps: usize) -> Theta {
    let (products, hours, _) = means(data);
    let mut square: Affine = std::array::from_fn(|i| {
        std::array::from_fn(|j| {
            let one = if i == j { 1.0 } else { 0.0 };
            match (i, j) {
                (3, _) => one,
                (_, 3) => 2.0 * lr * hours[i],
                _ => one - 2.0 * lr * products[i][j],
            }
        })
    });
    let mut power: Affine =
        std::array::from_fn(|i| std::array::from_fn(|j| if i == j { 1.0 } else { 0.0 }));
    let mut left = steps;
    while left > 0 {
        if left & 1 == 1 {
            power = times(&power, &square);
        }
        square = times(&square, &square);
        left >>= 1;
    }
    // From θ = 0 only the last column counts.
    [power[0][3], power[1][3], power[2][3]]
}

/// θ before each step and after the last, from the list of all gradients so far, with no state.
fn path(optimizer: usize, lr: f64, data: &[Package], steps: usize) -> Vec<Theta> {
    if optimizer == 0 {
        return (0..=steps).map(|t| descent(lr, data, t)).collect();
    }
    let mut path = vec![[0.0; 3]];
    let mut grads: Vec<Theta> = Vec::new();
    for _ in 0..steps {
        let here = path[path.len() - 1];
        grads.push(slope(&here, data));
        path.push(std::array::from_fn(|i| {
            // The sum of the gradients, or of their squares, with weights β^age; and the sum of the weights.
            let sums = |beta: f64, of: fn(f64) -> f64| {
                let (mut sum, mut weights, mut weight) = (0.0, 0.0, 1.0);
                for grad in grads.iter().rev() {
                    sum += weight * of(grad[i]);
                    weights += weight;
                    weight *= beta;
                }
                (sum, weights)
            };
            let update = match optimizer {
                1 => sums(0.9, |g| g).0,
                2 => grads[grads.len() - 1][i] / (sums(1.0, |g| g * g).0.sqrt() + 1e-10),
                _ => {
                    let (m, of_m) = sums(0.9, |g| g);
                    let (v, of_v) = sums(0.999, |g| g * g);
                    m / of_m / ((v / of_v).sqrt() + 1e-8)
                }
            };
            here[i] - lr * update
        }));
    }
    path
}

fn run(optimizer: usize, lr: f64, data: &[Package], steps: usize) -> Frame {
    let path = path(optimizer, lr, data, steps);
    let losses = path[..steps]
        .iter()
        .map(|theta| squared_error(theta, data))
        .collect();
    vec![losses, path[steps].to_vec()]
}

fn losses(rates: &[f64], train: &[Package], judged: &[Package], steps: usize) -> Table {
    std::array::from_fn(|row| {
        let cell = |&lr: &f64| {
            let theta = if row == 0 {
                descent(lr, train, steps)
            } else {
                path(row, lr, train, steps)[steps]
            };
            let loss = squared_error(&theta, judged);
            if loss.is_finite() {
                loss
            } else {
                f64::INFINITY
            }
        };
        rates.iter().map(cell).collect()
    })
}

/// All cells of a table, the least loss first.
fn ranking(table: &Table) -> Vec<(f64, usize, usize)> {
    let cells = table.iter().enumerate().flat_map(|(row, losses)| {
        let cell = move |(column, &loss): (usize, &f64)| (loss, row, column);
        losses.iter().enumerate().map(cell)
    });
    let mut cells: Vec<_> = cells.collect();
    cells.sort_by(|a, b| a.0.total_cmp(&b.0));
    cells
}

/// Whether no number of θ is so close to 0 that rounding would show.
fn clear(theta: &[f64]) -> bool {
    theta.iter().all(|x| *x == 0.0 || x.abs() > 1e-3)
}

// --- Checks -----------------------------------------------------------------------------------------------------------

static CHECKS: &[Check] = &[
    Check {
        name: "the_loss_is_the_mean_of_the_squared_errors",
        asked: "loss is the mean of (w1 * distance + w2 * weight + b - hours)^2 over all packages.",
        run: |exam| {
            let points = vec![
                vec![0.0, 0.0, 0.0],
                vec![10.0, 0.5, 0.0],
                vec![10.0, 0.5, 6.0],
                vec![0.0, 0.0, 30.0],
            ];
            let expected = [3800.0 / 3.0, 170.0 / 3.0, 14.0 / 3.0, 500.0 / 3.0];
            let case = at_points(
                "packages (1, 2, 20), (2, 10, 30), (4, 4, 50); theta given",
                LOSS,
                &THREE,
                points,
            );
            let expected: Vec<_> = expected.iter().map(|&loss| vec![vec![loss]]).collect();
            exam.expect(&case, &expected)?;
            everywhere(exam, LOSS, |theta, data| vec![parabola(theta, data)])
        },
    },
    Check {
        name: "the_gradient_is_the_slope_of_the_loss",
        asked: "gradient has the derivatives of loss by w1, w2 and b, in this order.",
        run: |exam| {
            let points = vec![
                vec![0.0, 0.0, 0.0],
                vec![10.0, 0.5, 0.0],
                vec![10.0, 0.5, 6.0],
            ];
            let expected = [
                [-560.0 / 3.0, -1080.0 / 3.0, -200.0 / 3.0],
                [-102.0 / 3.0, -200.0 / 3.0, -44.0 / 3.0],
                [-18.0 / 3.0, -8.0 / 3.0, -8.0 / 3.0],
            ];
            let case = at_points(
                "packages (1, 2, 20), (2, 10, 30), (4, 4, 50); theta given",
                GRADIENT,
                &THREE,
                points,
            );
            let expected: Vec<_> = expected.iter().map(|grad| vec![grad.to_vec()]).collect();
            exam.expect(&case, &expected)?;
            everywhere(exam, GRADIENT, |theta, data| slope(theta, data).to_vec())
        },
    },
    Check {
        name: "gradient_descent_is_the_power_of_a_matrix",
        asked: "t steps of SGD from 0 apply the matrix of one step t times; losses[t] is taken before step t + 1.",
        run: |exam| trained(exam, 0),
    },
    Check {
        name: "momentum_adds_up_what_is_left_of_every_gradient",
        asked: "v is the sum of all gradients so far, each times 0.9 for every step since; theta moves by -lr * v.",
        run: |exam| trained(exam, 1),
    },
    Check {
        name: "adagrad_divides_by_the_root_of_all_squares_so_far",
        asked: "theta moves by -lr * g / (root of the sum of all g^2 so far + 1e-10), each parameter by itself.",
        run: |exam| trained(exam, 2),
    },
    Check {
        name: "adam_divides_one_weighted_mean_by_the_root_of_another",
        asked: "theta moves by -lr * m_hat / (root of v_hat + 1e-8), with beta1 = 0.9 and beta2 = 0.999.",
        run: |exam| trained(exam, 3),
    },
    Check {
        name: "the_table_has_the_loss_on_packages_kept_back",
        asked: "Row: optimizer; column: rate; cell: loss on validation after training anew on train, or infinity.",
        run: |exam| {
            let mut random = Random::new(exam.seed);
            for (count, columns, steps) in [(5, 4, 60), (1, 2, 12), (4, 3, 0), (3, 0, 5)] {
                let train = packages(&mut random, count);
                let validation = packages(&mut random, count + 1);
                let rates = diverging(&mut random, &train, columns);
                let about = format!("{} to train on, MOMENTS_SEED={}", counted(count), exam.seed);
                let case = whole(&about, TABLE, &rates, [&train, &validation], steps);
                let expected = losses(&rates, &train, &validation, steps);
                exam.expect(&case, &[expected.to_vec()])?;
            }
            Ok(())
        },
    },
    Check {
        name: "the_least_finite_loss_is_chosen",
        asked: "choose: the least finite loss; of equal ones the first row, then the first column; None is shown as -1.",
        run: |exam| {
            for (about, table, choice) in tables() {
                let case = choosing(about, &RATES, &table);
                let choice = choice.map(|(row, column)| (row, RATES[column]));
                exam.expect(&case, &[shown_choice(choice)])?;
            }
            let empty = Table::default();
            exam.expect(&choosing("no rates", &[], &empty), &[shown_choice(None)])
        },
    },
    Check {
        name: "the_choice_is_right_on_packages_you_have_not_seen",
        asked: "best: what choose takes from the table of these packages, and the theta that its training on train gave.",
        run: |exam| {
            let mut random = Random::new(exam.seed);
            for winner in [3, 1, 0, 2] {
                let (case, expected) = won_by(&mut random, winner, exam.seed);
                exam.expect(&case, &[expected])?;
            }
            let data = packages(&mut random, 3);
            let case = whole("no rates", BEST, &[], [&data, &data], 5);
            exam.expect(&case, &[shown_best(None)])
        },
    },
];

/// `loss` or `gradient` for 1 and more packages, at any point.
fn everywhere(
    exam: &crate::Exam<'_>,
    call: &'static str,
    of: fn(&Theta, &[Package]) -> Vec<f64>,
) -> crate::Verdict {
    let mut random = Random::new(exam.seed);
    for (count, scale) in [(7, 1.0), (1, 1.0), (2, 1e6), (40, 1e-3)] {
        let data = packages(&mut random, count);
        let points: Vec<_> = (0..3)
            .map(|_| random.vector(3, -20.0 * scale, 20.0 * scale))
            .collect();
        let value = |point: &Vec<f64>| vec![of(&[point[0], point[1], point[2]], &data)];
        let expected: Vec<_> = points.iter().map(value).collect();
        let about = format!(
            "{}, MOMENTS_SEED={}; theta given",
            counted(count),
            exam.seed
        );
        exam.expect(&at_points(&about, call, &data, points), &expected)?;
    }
    Ok(())
}

/// What one optimizer does on three packages, on packages from the seed, on letters, and in tiny units.
fn trained(exam: &crate::Exam<'_>, optimizer: usize) -> crate::Verdict {
    let adaptive = optimizer >= 2;
    let rate = |data: &[Package], share: f64| {
        if adaptive {
            share
        } else {
            share / curvature(data)
        }
    };
    let by_hand = if adaptive { 0.5 } else { 0.01 };
    let case = training(
        "packages (1, 2, 20), (2, 10, 30), (4, 4, 50)",
        optimizer,
        by_hand,
        &THREE,
        5,
    );
    exam.expect(&case, &[run(optimizer, by_hand, &THREE, 5)])?;

    let mut random = Random::new(exam.seed ^ optimizer as u64);
    for (count, steps) in [(6, 20), (1, 8), (12, 60), (3, 0), (4, 1)] {
        let (case, expected) = loop {
            let data = packages(&mut random, count);
            let lr = rate(&data, random.between(0.2, 1.2));
            let expected = run(optimizer, lr, &data, steps);
            let least = 1e-4 * expected[0].first().copied().unwrap_or(0.0);
            // A loss that has all but vanished is made of rounding.
            if clear(&expected[1]) && expected[0].iter().all(|&loss| loss >= least) {
                let about = format!("{}, MOMENTS_SEED={}", counted(count), exam.seed);
                break (training(&about, optimizer, lr, &data, steps), expected);
            }
        };
        exam.expect(&case, &[expected])?;
    }

    // It goes up, and goes on: losses up to 1e40 or so.
    let lr = rate(&THREE, 30.0);
    let case = training("a rate far too large", optimizer, lr, &THREE, 12);
    exam.expect(&case, &[run(optimizer, lr, &THREE, 12)])?;

    exam.expect(&overflowing(optimizer), &[vec![vec![60.0]]])?;

    let letters = THREE.map(|[distance, _, hours]| [distance, 0.0, hours]);
    let lr = rate(&letters, 0.5);
    let case = training("letters of weight 0", optimizer, lr, &letters, 6);
    exam.expect(&case, &[run(optimizer, lr, &letters, 6)])?;

    // So small that epsilon counts, and no step leaves that range.
    let tiny = tiny(optimizer);
    let lr = rate(&tiny, if adaptive { 1e-12 } else { 0.5 });
    let case = training("hours of about 1e-10", optimizer, lr, &tiny, 6);
    exam.expect(&case, &[run(optimizer, lr, &tiny, 6)])
}

/// Hours of the size of epsilon.
fn tiny(optimizer: usize) -> [Package; 3] {
    let scale = if optimizer == 3 { 1e-10 } else { 1e-12 };
    THREE.map(|[distance, weight, hours]| [distance, weight, hours * scale])
}

/// Learning rates of which some let gradient descent diverge, to infinity and beyond it to NaN.
fn diverging(random: &mut Random, train: &[Package], columns: usize) -> Vec<f64> {
    let mut rates = vec![
        random.between(3.0, 6.0) / curvature(train),
        random.between(0.3, 1.0) / curvature(train),
        random.between(1e6, 2e6) / curvature(train),
        random.between(3e4, 6e4) / curvature(train),
    ];
    rates.truncate(columns);
    rates
}

/// A case of `best` which that optimizer wins, though on the packages it was trained on another is better.
fn won_by(random: &mut Random, winner: usize, seed: u64) -> (Case, Frame) {
    loop {
        let steps = random.between(4.0, 13.0) as usize;
        let (train, validation) = (packages(random, 5), packages(random, 5));
        let rates: Vec<_> = (0..4)
            .map(|_| {
                let share = random.between(0.1, 1.5);
                if random.bits() & 64 == 0 {
                    share / curvature(&train)
                } else {
                    2.0 * share
                }
            })
            .collect();
        let table = losses(&rates, &train, &validation, steps);
        let order = ranking(&table);
        let (loss, row, column) = order[0];
        if row != winner || order[1].0 < 1.001 * loss {
            continue;
        }
        let (_, row_in_training, column_in_training) =
            ranking(&losses(&rates, &train, &train, steps))[0];
        let theta = path(row, rates[column], &train, steps)[steps];
        if (row, column) == (row_in_training, column_in_training) || !clear(&theta) {
            continue;
        }
        let about = format!("packages of MOMENTS_SEED={seed}, five to train on");
        let case = whole(&about, BEST, &rates, [&train, &validation], steps);
        return (case, shown_best(Some((row, rates[column], theta))));
    }
}

/// Small cases of every function, on which every two mutants differ.
fn probes() -> Vec<Case> {
    // Some are searched for, which is not to be done again for every mutant.
    static PROBES: OnceLock<Vec<Case>> = OnceLock::new();
    PROBES.get_or_init(find_probes).clone()
}

fn find_probes() -> Vec<Case> {
    let mut random = Random::new(18);
    let data = packages(&mut random, 4);
    let points = vec![vec![1.0, -2.0, 0.5], vec![10.0, 0.5, 2.0]];
    let mut cases = vec![
        at_points("a probe", LOSS, &data, points.clone()),
        at_points("a probe", LOSS, &data[..1], points.clone()),
        at_points("a probe", GRADIENT, &data, points.clone()),
        at_points("a probe", GRADIENT, &data[..1], points),
    ];
    let letters = THREE.map(|[distance, _, hours]| [distance, 0.0, hours]);
    for optimizer in 0..4 {
        cases.push(overflowing(optimizer));
        let adaptive = optimizer >= 2;
        let lr = if adaptive {
            0.7
        } else {
            0.5 / curvature(&data)
        };
        let small = if adaptive { 1e-12 } else { lr };
        cases.push(training("a probe", optimizer, lr, &data, 6));
        cases.push(training("a probe", optimizer, lr, &letters, 3));
        cases.push(training("a probe", optimizer, small, &tiny(optimizer), 4));
    }
    let rates = diverging(&mut random, &data, 4);
    let validation = packages(&mut random, 3);
    cases.push(whole("a probe", TABLE, &rates, [&data, &validation], 60));
    for (about, table, _) in tables() {
        cases.push(choosing(about, &RATES, &table));
    }
    for winner in 0..4 {
        cases.push(won_by(&mut random, winner, 18).0);
    }
    cases
}

// --- Mutants ------------------------------------------------------------------------------------------------------------

/// All that can be got wrong, part by part.
#[derive(Clone, Copy)]
struct Form {
    loss: fn(&Theta, &[Package]) -> f64,
    gradient: fn(&Theta, &[Package]) -> Theta,
    /// One step of each optimizer for one parameter.
    rules: [Rule; 4],
    train: fn(&Form, usize, f64, &[Package], usize) -> Run,
    table: Tabulated,
    choose: fn(&[f64], &Table) -> Choice,
    best: Delivered,
}

type Tabulated = fn(&Form, &[f64], &[Package], &[Package], usize) -> Table;

type Delivered = fn(&Form, &[f64], &[Package], &[Package], usize) -> Best;

/// Takes a parameter with its state, the step from 1, the learning rate and the gradient.
type Rule = fn(&mut Cell, i32, f64, f64);

/// A parameter and its state: the velocity or first moment, and the sum or average of squares.
#[derive(Clone, Copy, Default)]
struct Cell {
    theta: f64,
    m: f64,
    v: f64,
}

impl Cell {
    /// Takes a gradient into both moments of Adam.
    fn gather(&mut self, g: f64) {
        self.m = 0.9 * self.m + (1.0 - 0.9) * g;
        self.v = 0.999 * self.v + (1.0 - 0.999) * g * g;
    }

    /// The corrected moments.
    fn hats(&self, t: i32) -> (f64, f64) {
        (
            self.m / (1.0 - 0.9f64.powi(t)),
            self.v / (1.0 - 0.999f64.powi(t)),
        )
    }

    fn move_by(&mut self, lr: f64, (m_hat, v_hat): (f64, f64)) {
        self.theta -= lr * m_hat / (v_hat.sqrt() + 1e-8);
    }
}

/// As the solution has it.
const RIGHT: Form = Form {
    loss: |theta, data| mean(theta, data, |error, _| error * error),
    gradient: |theta, data| {
        [
            mean(theta, data, |error, package| 2.0 * error * package[0]),
            mean(theta, data, |error, package| 2.0 * error * package[1]),
            mean(theta, data, |error, _| 2.0 * error),
        ]
    },
    rules: RULES,
    train: |form, optimizer, lr, data, steps| {
        let mut cells = [Cell::default(); 3];
        let losses = go_on(form, &mut cells, optimizer, lr, data, 1..=steps);
        (losses, thetas(&cells))
    },
    table: |form, rates, train, validation, steps| {
        cells(
            |row, column| {
                let (_, theta) = (form.train)(form, row, rates[column], train, steps);
                finite((form.loss)(&theta, validation))
            },
            rates.len(),
        )
    },
    choose: |rates, table| first(rates, table, |loss, least| loss < least),
    best: |form, rates, train, validation, steps| {
        let table = (form.table)(form, rates, train, validation, steps);
        let (row, lr) = (form.choose)(rates, &table)?;
        Some((row, lr, (form.train)(form, row, lr, train, steps).1))
    },
};

const RULES: [Rule; 4] = [
    |c, _, lr, g| c.theta -= lr * g,
    |c, _, lr, g| {
        c.m = 0.9 * c.m + g;
        c.theta -= lr * c.m;
    },
    |c, _, lr, g| {
        c.v += g * g;
        c.theta -= lr * g / (c.v.sqrt() + 1e-10);
    },
    |c, t, lr, g| {
        c.gather(g);
        c.move_by(lr, c.hats(t));
    },
];

/// The right form but for one rule.
const fn with_rule(optimizer: usize, rule: Rule) -> Form {
    let mut form = RIGHT;
    form.rules[optimizer] = rule;
    form
}

fn error_of(theta: &Theta, [distance, weight, hours]: &Package) -> f64 {
    theta[0] * distance + theta[1] * weight + theta[2] - hours
}

/// The mean over the packages of something that follows from the error and the package.
fn mean(theta: &Theta, data: &[Package], of: fn(f64, &Package) -> f64) -> f64 {
    let values = data
        .iter()
        .map(|package| of(error_of(theta, package), package));
    values.sum::<f64>() / data.len() as f64
}

fn thetas(cells: &[Cell; 3]) -> Theta {
    cells.map(|cell| cell.theta)
}

/// Takes the steps of these numbers; gives the loss before each.
fn go_on(
    form: &Form,
    cells: &mut [Cell; 3],
    optimizer: usize,
    lr: f64,
    data: &[Package],
    steps: std::ops::RangeInclusive<usize>,
) -> Vec<f64> {
    let mut losses = Vec::new();
    for t in steps {
        let theta = thetas(cells);
        losses.push((form.loss)(&theta, data));
        for (cell, g) in cells.iter_mut().zip((form.gradient)(&theta, data)) {
            form.rules[optimizer](cell, t as i32, lr, g);
        }
    }
    losses
}

/// A table from what its cells are.
fn cells(cell: impl Fn(usize, usize) -> f64, columns: usize) -> Table {
    std::array::from_fn(|row| (0..columns).map(|column| cell(row, column)).collect())
}

fn finite(loss: f64) -> f64 {
    if loss.is_finite() {
        loss
    } else {
        f64::INFINITY
    }
}

/// Goes through the table row by row, and takes a finite loss that is `better` than the one taken so far.
fn first(rates: &[f64], table: &Table, better: fn(f64, f64) -> bool) -> Choice {
    let mut taken: Option<(usize, usize)> = None;
    for (row, losses) in table.iter().enumerate() {
        for (column, &loss) in losses.iter().enumerate() {
            let old = taken.map(|(row, column)| table[row][column]);
            if loss.is_finite() && old.is_none_or(|old| better(loss, old)) {
                taken = Some((row, column));
            }
        }
    }
    taken.map(|(row, column)| (row, rates[column]))
}

fn form(case: &Case, form: Form) -> Step {
    ask(case, move |call| match call {
        Call::Loss { theta, data } => vec![vec![(form.loss)(theta, data)]],
        Call::Gradient { theta, data } => vec![(form.gradient)(theta, data).to_vec()],
        Call::Train {
            optimizer,
            lr,
            data,
            steps,
        } => shown_run((form.train)(&form, optimizer, lr, data, steps)),
        Call::Table {
            rates,
            train,
            validation,
            steps,
        } => (form.table)(&form, rates, train, validation, steps).to_vec(),
        Call::Choose { rates, table } => shown_choice((form.choose)(rates, table)),
        Call::Best {
            rates,
            train,
            validation,
            steps,
        } => shown_best((form.best)(&form, rates, train, validation, steps)),
    })
}

const LOSS_PAGE: &str = "exercises/ex18-delivery.html#the-loss-and-its-slope";
const TRAINING: &str = "exercises/ex18-delivery.html#one-loop-for-four-optimizers";
const SIMPLE: &str = "exercises/ex18-delivery.html#sgd-and-momentum";
const ADAPTIVE: &str = "exercises/ex18-delivery.html#adagrad-and-adam";
const TABLES: &str = "exercises/ex18-delivery.html#a-table-of-losses";
const CHOICE: &str = "exercises/ex18-delivery.html#the-choice";

static MUTANTS: &[Mutant] = &[
    Mutant {
        name: "errors-not-squared",
        mistake: "the sizes of the errors are averaged. The loss averages their squares.",
        read: LOSS_PAGE,
        start: |case| {
            form(
                case,
                Form {
                    loss: |theta, data| mean(theta, data, |error, _| error.abs()),
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "sum-of-squares",
        mistake: "the squared errors are added up and not divided by the number of packages.",
        read: LOSS_PAGE,
        start: |case| {
            form(
                case,
                Form {
                    loss: |theta, data| {
                        mean(theta, data, |error, _| error * error) * data.len() as f64
                    },
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "half-the-loss",
        mistake: "the loss has a factor 1/2. It is the mean of the squares themselves, and its slope has a factor 2.",
        read: LOSS_PAGE,
        start: |case| {
            form(
                case,
                Form {
                    loss: |theta, data| mean(theta, data, |error, _| 0.5 * error * error),
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "half-of-both",
        mistake: "the loss has a factor 1/2, and so has the gradient. They fit each other, but the loss asked for is the mean of the squares.",
        read: LOSS_PAGE,
        start: |case| {
            form(
                case,
                Form {
                    loss: |theta, data| 0.5 * (RIGHT.loss)(theta, data),
                    gradient: |theta, data| (RIGHT.gradient)(theta, data).map(|g| 0.5 * g),
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "root-of-the-loss",
        mistake: "a root is taken of the loss, which makes hours of it. It stays in squared hours.",
        read: LOSS_PAGE,
        start: |case| {
            form(
                case,
                Form {
                    loss: |theta, data| mean(theta, data, |error, _| error * error).sqrt(),
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "square-of-the-mean",
        mistake: "the mean of the errors is squared: errors of both signs cancel. Square each one, then take the mean.",
        read: LOSS_PAGE,
        start: |case| {
            form(
                case,
                Form {
                    loss: |theta, data| mean(theta, data, |error, _| error).powi(2),
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "one-package-less",
        mistake: "the sum is divided by the number of packages minus 1, as a variance is. A mean is divided by the number, and one package has a loss.",
        read: LOSS_PAGE,
        start: |case| {
            form(
                case,
                Form {
                    loss: |theta, data| {
                        mean(theta, data, |error, _| error * error) * data.len() as f64
                            / (data.len() as f64 - 1.0)
                    },
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "bias-left-out",
        mistake: "b is not part of the prediction. It is added to both products.",
        read: LOSS_PAGE,
        start: |case| {
            form(
                case,
                Form {
                    loss: |&[w1, w2, _], data| (RIGHT.loss)(&[w1, w2, 0.0], data),
                    gradient: |&[w1, w2, _], data| (RIGHT.gradient)(&[w1, w2, 0.0], data),
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "features-swapped",
        mistake: "w1 multiplies the weight and w2 the distance. theta is w1 for the distance, w2 for the weight, b.",
        read: LOSS_PAGE,
        start: |case| {
            form(
                case,
                Form {
                    loss: |&[w1, w2, b], data| (RIGHT.loss)(&[w2, w1, b], data),
                    gradient: |&[w1, w2, b], data| {
                        let [g2, g1, of_b] = (RIGHT.gradient)(&[w2, w1, b], data);
                        [g1, g2, of_b]
                    },
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "bias-first",
        mistake: "theta is read as b, w1, w2. It is w1, w2, b.",
        read: LOSS_PAGE,
        start: |case| {
            form(
                case,
                Form {
                    loss: |&[b, w1, w2], data| (RIGHT.loss)(&[w1, w2, b], data),
                    gradient: |&[b, w1, w2], data| {
                        let [g1, g2, of_b] = (RIGHT.gradient)(&[w1, w2, b], data);
                        [of_b, g1, g2]
                    },
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "half-the-gradient",
        mistake: "the factor 2 is missing in the gradient: the derivative of a square is twice the error.",
        read: LOSS_PAGE,
        start: |case| {
            form(
                case,
                Form {
                    gradient: |theta, data| (RIGHT.gradient)(theta, data).map(|g| 0.5 * g),
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "gradient-not-averaged",
        mistake: "the gradient is the sum over the packages. The loss is a mean, so its gradient is divided by their number too.",
        read: LOSS_PAGE,
        start: |case| {
            form(
                case,
                Form {
                    gradient: |theta, data| {
                        (RIGHT.gradient)(theta, data).map(|g| g * data.len() as f64)
                    },
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "divided-by-the-parameters",
        mistake: "the gradient is divided by the number of parameters. Divide it by the number of packages.",
        read: LOSS_PAGE,
        start: |case| {
            form(
                case,
                Form {
                    gradient: |theta, data| {
                        (RIGHT.gradient)(theta, data).map(|g| g * data.len() as f64 / 3.0)
                    },
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "error-the-other-way",
        mistake: "the gradient has the wrong sign: its error is hours - prediction. The loss does not mind, its slope does.",
        read: LOSS_PAGE,
        start: |case| {
            form(
                case,
                Form {
                    gradient: |theta, data| (RIGHT.gradient)(theta, data).map(|g| -g),
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "weight-forgotten",
        mistake: "the derivative by w2 is 0: the second feature is forgotten.",
        read: LOSS_PAGE,
        start: |case| {
            form(
                case,
                Form {
                    gradient: |theta, data| {
                        let [g, _, of_b] = (RIGHT.gradient)(theta, data);
                        [g, 0.0, of_b]
                    },
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "bias-not-trained",
        mistake: "the derivative by b is 0, so b never moves. It is a parameter with a feature that is always 1.",
        read: LOSS_PAGE,
        start: |case| {
            form(
                case,
                Form {
                    gradient: |theta, data| {
                        let [g1, g2, _] = (RIGHT.gradient)(theta, data);
                        [g1, g2, 0.0]
                    },
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "features-left-out-of-the-gradient",
        mistake: "all three derivatives are the same: the error was not multiplied by the feature.",
        read: LOSS_PAGE,
        start: |case| {
            form(
                case,
                Form {
                    gradient: |theta, data| [(RIGHT.gradient)(theta, data)[2]; 3],
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "distance-for-both",
        mistake: "the derivative by w2 is that by w1: the error was multiplied by the distance twice.",
        read: LOSS_PAGE,
        start: |case| {
            form(
                case,
                Form {
                    gradient: |theta, data| {
                        let [g, _, of_b] = (RIGHT.gradient)(theta, data);
                        [g, g, of_b]
                    },
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "last-package-only",
        mistake: "each package overwrites the gradient of the one before it. Add them up.",
        read: LOSS_PAGE,
        start: |case| {
            form(
                case,
                Form {
                    gradient: |theta, data| {
                        (RIGHT.gradient)(theta, &data[data.len() - 1..])
                            .map(|g| g / data.len() as f64)
                    },
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "gradient-of-the-sizes",
        mistake: "the sign of the error stands where the error belongs: that is the slope of the mean absolute error.",
        read: LOSS_PAGE,
        start: |case| {
            form(
                case,
                Form {
                    gradient: |theta, data| {
                        [
                            mean(theta, data, |error, package| error.signum() * package[0]),
                            mean(theta, data, |error, package| error.signum() * package[1]),
                            mean(theta, data, |error, _| error.signum()),
                        ]
                    },
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "recorded-after-the-step",
        mistake: "losses[t] is taken after step t + 1. It is taken before: losses[0] is the loss at theta = 0.",
        read: TRAINING,
        start: |case| {
            form(
                case,
                Form {
                    train: |form, optimizer, lr, data, steps| {
                        let mut cells = [Cell::default(); 3];
                        let losses = (1..=steps)
                            .map(|t| {
                                go_on(form, &mut cells, optimizer, lr, data, t..=t);
                                (form.loss)(&thetas(&cells), data)
                            })
                            .collect();
                        (losses, thetas(&cells))
                    },
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "stopped-when-not-finite",
        mistake: "training stops once the loss is not finite. There is a loss for each step; a run that diverged is judged in the table.",
        read: TRAINING,
        start: |case| {
            form(
                case,
                Form {
                    train: |form, optimizer, lr, data, steps| {
                        let (mut losses, theta) = (RIGHT.train)(form, optimizer, lr, data, steps);
                        if let Some(end) = losses.iter().position(|loss| !loss.is_finite()) {
                            losses.truncate(end + 1);
                        }
                        (losses, theta)
                    },
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "last-step-missing",
        mistake: "theta is the one before the last step. After the last loss is recorded there is one more step to take.",
        read: TRAINING,
        start: |case| {
            form(
                case,
                Form {
                    train: |form, optimizer, lr, data, steps| {
                        let (losses, _) = (RIGHT.train)(form, optimizer, lr, data, steps);
                        (
                            losses,
                            (RIGHT.train)(form, optimizer, lr, data, steps.saturating_sub(1)).1,
                        )
                    },
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "one-step-too-many",
        mistake: "theta has taken a step more than was asked, though the losses are right.",
        read: TRAINING,
        start: |case| {
            form(
                case,
                Form {
                    train: |form, optimizer, lr, data, steps| {
                        let (losses, _) = (RIGHT.train)(form, optimizer, lr, data, steps);
                        (
                            losses,
                            (RIGHT.train)(form, optimizer, lr, data, steps + 1).1,
                        )
                    },
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "starts-at-one",
        mistake: "training starts at theta = (1, 1, 1). It starts at 0.",
        read: TRAINING,
        start: |case| {
            form(
                case,
                Form {
                    train: |form, optimizer, lr, data, steps| {
                        let mut cells = [Cell {
                            theta: 1.0,
                            ..Cell::default()
                        }; 3];
                        let losses = go_on(form, &mut cells, optimizer, lr, data, 1..=steps);
                        (losses, thetas(&cells))
                    },
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "one-parameter-after-another",
        mistake: "each parameter moves before the derivative by the next one is taken. All three belong to the same theta.",
        read: TRAINING,
        start: |case| {
            form(
                case,
                Form {
                    train: |form, optimizer, lr, data, steps| {
                        let mut cells = [Cell::default(); 3];
                        let mut losses = Vec::new();
                        for t in 1..=steps {
                            losses.push((form.loss)(&thetas(&cells), data));
                            for i in 0..3 {
                                let g = (form.gradient)(&thetas(&cells), data)[i];
                                form.rules[optimizer](&mut cells[i], t as i32, lr, g);
                            }
                        }
                        (losses, thetas(&cells))
                    },
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "gradient-of-the-start",
        mistake: "the gradient is computed once, before the loop. It changes with theta: compute it at every step.",
        read: TRAINING,
        start: |case| {
            form(
                case,
                Form {
                    train: |form, optimizer, lr, data, steps| {
                        let mut cells = [Cell::default(); 3];
                        let grad = (form.gradient)(&[0.0; 3], data);
                        let mut losses = Vec::new();
                        for t in 1..=steps {
                            losses.push((form.loss)(&thetas(&cells), data));
                            for (cell, g) in cells.iter_mut().zip(grad) {
                                form.rules[optimizer](cell, t as i32, lr, g);
                            }
                        }
                        (losses, thetas(&cells))
                    },
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "one-package-a-step",
        mistake: "each step uses the gradient of a single package. Here every step uses all of them.",
        read: TRAINING,
        start: |case| {
            form(
                case,
                Form {
                    train: |form, optimizer, lr, data, steps| {
                        let mut cells = [Cell::default(); 3];
                        let mut losses = Vec::new();
                        for t in 1..=steps {
                            let theta = thetas(&cells);
                            losses.push((form.loss)(&theta, data));
                            let package = (t - 1) % data.len();
                            let grad = (form.gradient)(&theta, &data[package..=package]);
                            for (cell, g) in cells.iter_mut().zip(grad) {
                                form.rules[optimizer](cell, t as i32, lr, g);
                            }
                        }
                        (losses, thetas(&cells))
                    },
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "state-made-anew",
        mistake: "the optimizer's state is made inside the loop and starts from 0 at every step. Make it once, before the loop.",
        read: TRAINING,
        start: |case| {
            form(
                case,
                Form {
                    train: |form, optimizer, lr, data, steps| {
                        let mut cells = [Cell::default(); 3];
                        let mut losses = Vec::new();
                        for t in 1..=steps {
                            cells = cells.map(|cell| Cell {
                                theta: cell.theta,
                                ..Cell::default()
                            });
                            losses.extend(go_on(form, &mut cells, optimizer, lr, data, t..=t));
                        }
                        (losses, thetas(&cells))
                    },
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "one-state-for-all",
        mistake: "the three parameters share one state. Each has its own velocity, sum or moments.",
        read: TRAINING,
        start: |case| {
            form(
                case,
                Form {
                    train: |form, optimizer, lr, data, steps| {
                        let mut cells = [Cell::default(); 3];
                        let mut shared = Cell::default();
                        let mut losses = Vec::new();
                        for t in 1..=steps {
                            let theta = thetas(&cells);
                            losses.push((form.loss)(&theta, data));
                            for (cell, g) in cells.iter_mut().zip((form.gradient)(&theta, data)) {
                                shared.theta = cell.theta;
                                form.rules[optimizer](&mut shared, t as i32, lr, g);
                                cell.theta = shared.theta;
                            }
                        }
                        (losses, thetas(&cells))
                    },
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "rate-fixed",
        mistake: "the learning rate is a fixed 0.01. Use the one that train is given.",
        read: TRAINING,
        start: |case| {
            form(
                case,
                Form {
                    train: |form, optimizer, _, data, steps| {
                        (RIGHT.train)(form, optimizer, 0.01, data, steps)
                    },
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "optimizers-in-another-order",
        mistake: "momentum and AdaGrad have changed places. Look at the arms of the match.",
        read: TRAINING,
        start: |case| {
            form(
                case,
                Form {
                    rules: [RULES[0], RULES[2], RULES[1], RULES[3]],
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "momentum-as-an-average",
        mistake: "the gradient enters the velocity with the weight 0.1. In the heavy ball it enters whole.",
        read: SIMPLE,
        start: |case| {
            form(
                case,
                with_rule(1, |c, _, lr, g| {
                    c.m = 0.9 * c.m + 0.1 * g;
                    c.theta -= lr * c.m;
                }),
            )
        },
    },
    Mutant {
        name: "momentum-of-nesterov",
        mistake: "theta moves by g + 0.9 v: that is Nesterov's momentum. The heavy ball moves by v.",
        read: SIMPLE,
        start: |case| {
            form(
                case,
                with_rule(1, |c, _, lr, g| {
                    c.m = 0.9 * c.m + g;
                    c.theta -= lr * (g + 0.9 * c.m);
                }),
            )
        },
    },
    Mutant {
        name: "momentum-too-late",
        mistake: "theta moves by the velocity of the step before. The gradient enters v first.",
        read: SIMPLE,
        start: |case| {
            form(
                case,
                with_rule(1, |c, _, lr, g| {
                    c.theta -= lr * c.m;
                    c.m = 0.9 * c.m + g;
                }),
            )
        },
    },
    Mutant {
        name: "momentum-without-friction",
        mistake: "the velocity is not multiplied by 0.9, so it never fades.",
        read: SIMPLE,
        start: |case| {
            form(
                case,
                with_rule(1, |c, _, lr, g| {
                    c.m += g;
                    c.theta -= lr * c.m;
                }),
            )
        },
    },
    Mutant {
        name: "momentum-faded-afterwards",
        mistake: "the new gradient is multiplied by 0.9 too: v = 0.9 (v + g). It enters whole, after the old v has faded.",
        read: SIMPLE,
        start: |case| {
            form(
                case,
                with_rule(1, |c, _, lr, g| {
                    c.m = 0.9 * (c.m + g);
                    c.theta -= lr * c.m;
                }),
            )
        },
    },
    Mutant {
        name: "uphill",
        mistake: "the sign: SGD adds lr * g to theta. It is subtracted, for the gradient points uphill.",
        read: SIMPLE,
        start: |case| form(case, with_rule(0, |c, _, lr, g| c.theta += lr * g)),
    },
    Mutant {
        name: "sgd-with-momentum",
        mistake: "SGD has a velocity here. It moves by -lr * g and remembers nothing.",
        read: SIMPLE,
        start: |case| form(case, with_rule(0, RULES[1])),
    },
    Mutant {
        name: "adagrad-as-rmsprop",
        mistake: "the sum of squares is a fading average: that is RMSProp. AdaGrad forgets nothing.",
        read: ADAPTIVE,
        start: |case| {
            form(
                case,
                with_rule(2, |c, _, lr, g| {
                    c.v = 0.9 * c.v + 0.1 * g * g;
                    c.theta -= lr * g / (c.v.sqrt() + 1e-10);
                }),
            )
        },
    },
    Mutant {
        name: "adagrad-without-the-root",
        mistake: "AdaGrad's step is divided by the sum of squares. Divide by its root.",
        read: ADAPTIVE,
        start: |case| {
            form(
                case,
                with_rule(2, |c, _, lr, g| {
                    c.v += g * g;
                    c.theta -= lr * g / (c.v + 1e-10);
                }),
            )
        },
    },
    Mutant {
        name: "adagrad-too-late",
        mistake: "AdaGrad divides before the square of this gradient is in the sum: the first step is g / 1e-10.",
        read: ADAPTIVE,
        start: |case| {
            form(
                case,
                with_rule(2, |c, _, lr, g| {
                    c.theta -= lr * g / (c.v.sqrt() + 1e-10);
                    c.v += g * g;
                }),
            )
        },
    },
    Mutant {
        name: "adagrad-sum-of-gradients",
        mistake: "AdaGrad's sum is of the sizes of the gradients. It is of their squares, and a root is taken.",
        read: ADAPTIVE,
        start: |case| {
            form(
                case,
                with_rule(2, |c, _, lr, g| {
                    c.v += g.abs();
                    c.theta -= lr * g / (c.v + 1e-10);
                }),
            )
        },
    },
    Mutant {
        name: "adagrad-starts-at-a-tenth",
        mistake: "AdaGrad's sum starts at 0.1, as in optax. Here it starts at 0.",
        read: ADAPTIVE,
        start: |case| {
            form(
                case,
                with_rule(2, |c, _, lr, g| {
                    c.v += g * g;
                    c.theta -= lr * g / ((c.v + 0.1).sqrt() + 1e-10);
                }),
            )
        },
    },
    Mutant {
        name: "adagrad-eps-inside-the-root",
        mistake: "AdaGrad's 1e-10 is under the root. It is added after the root is taken.",
        read: ADAPTIVE,
        start: |case| {
            form(
                case,
                with_rule(2, |c, _, lr, g| {
                    c.v += g * g;
                    c.theta -= lr * g / (c.v + 1e-10).sqrt();
                }),
            )
        },
    },
    Mutant {
        name: "adagrad-with-the-eps-of-adam",
        mistake: "AdaGrad's epsilon is 1e-8, which is Adam's. Here it is 1e-10, as in PyTorch.",
        read: ADAPTIVE,
        start: |case| {
            form(
                case,
                with_rule(2, |c, _, lr, g| {
                    c.v += g * g;
                    c.theta -= lr * g / (c.v.sqrt() + 1e-8);
                }),
            )
        },
    },
    Mutant {
        name: "adagrad-without-eps",
        mistake: "AdaGrad has no epsilon: where every gradient is 0 it divides 0 by 0, and theta becomes NaN.",
        read: ADAPTIVE,
        start: |case| {
            form(
                case,
                with_rule(2, |c, _, lr, g| {
                    c.v += g * g;
                    c.theta -= lr * g / c.v.sqrt();
                }),
            )
        },
    },
    Mutant {
        name: "adagrad-averaged",
        mistake: "AdaGrad's sum is divided by the number of steps. It grows without end, and that is what makes the steps shrink.",
        read: ADAPTIVE,
        start: |case| {
            form(
                case,
                with_rule(2, |c, t, lr, g| {
                    c.v += g * g;
                    c.theta -= lr * g / ((c.v / f64::from(t)).sqrt() + 1e-10);
                }),
            )
        },
    },
    Mutant {
        name: "adam-without-correction",
        mistake: "Adam's moments are not corrected. Both start at 0 and are too small at first: divide by 1 - beta^t.",
        read: ADAPTIVE,
        start: |case| {
            form(
                case,
                with_rule(3, |c, _, lr, g| {
                    c.gather(g);
                    c.move_by(lr, (c.m, c.v));
                }),
            )
        },
    },
    Mutant {
        name: "adam-corrects-only-m",
        mistake: "Adam corrects only m. v needs its own 1 - beta2^t.",
        read: ADAPTIVE,
        start: |case| {
            form(
                case,
                with_rule(3, |c, t, lr, g| {
                    c.gather(g);
                    c.move_by(lr, (c.hats(t).0, c.v));
                }),
            )
        },
    },
    Mutant {
        name: "adam-corrects-only-v",
        mistake: "Adam corrects only v. m needs its own 1 - beta1^t.",
        read: ADAPTIVE,
        start: |case| {
            form(
                case,
                with_rule(3, |c, t, lr, g| {
                    c.gather(g);
                    c.move_by(lr, (c.m, c.hats(t).1));
                }),
            )
        },
    },
    Mutant {
        name: "adam-correction-multiplied",
        mistake: "Adam's moments are multiplied by 1 - beta^t. They are too small at first: divide.",
        read: ADAPTIVE,
        start: |case| {
            form(
                case,
                with_rule(3, |c, t, lr, g| {
                    c.gather(g);
                    c.move_by(
                        lr,
                        (c.m * (1.0 - 0.9f64.powi(t)), c.v * (1.0 - 0.999f64.powi(t))),
                    );
                }),
            )
        },
    },
    Mutant {
        name: "adam-counts-from-zero",
        mistake: "Adam's t is 0 at the first step, so 1 - beta^t is 0 and 0/0 is NaN. The first step is t = 1.",
        read: ADAPTIVE,
        start: |case| {
            form(
                case,
                with_rule(3, |c, t, lr, g| {
                    c.gather(g);
                    c.move_by(lr, c.hats(t - 1));
                }),
            )
        },
    },
    Mutant {
        name: "adam-does-not-count",
        mistake: "Adam's correction is 1 - beta at every step: the power t is missing, or the counter never advances.",
        read: ADAPTIVE,
        start: |case| {
            form(
                case,
                with_rule(3, |c, _, lr, g| {
                    c.gather(g);
                    c.move_by(lr, c.hats(1));
                }),
            )
        },
    },
    Mutant {
        name: "adam-counts-parameters",
        mistake: "Adam's t goes up for every parameter. It counts steps.",
        read: ADAPTIVE,
        start: |case| {
            form(
                case,
                Form {
                    train: |form, optimizer, lr, data, steps| {
                        let mut cells = [Cell::default(); 3];
                        let mut losses = Vec::new();
                        let mut t = 0;
                        for _ in 0..steps {
                            let theta = thetas(&cells);
                            losses.push((form.loss)(&theta, data));
                            for (cell, g) in cells.iter_mut().zip((form.gradient)(&theta, data)) {
                                t += 1;
                                form.rules[optimizer](cell, t, lr, g);
                            }
                        }
                        (losses, thetas(&cells))
                    },
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "adam-keeps-the-hats",
        mistake: "Adam's corrected moments are written back to m and v. Keep the state uncorrected.",
        read: ADAPTIVE,
        start: |case| {
            form(
                case,
                with_rule(3, |c, t, lr, g| {
                    c.gather(g);
                    (c.m, c.v) = c.hats(t);
                    c.move_by(lr, (c.m, c.v));
                }),
            )
        },
    },
    Mutant {
        name: "adam-without-the-root",
        mistake: "Adam divides by v_hat. Divide by its root.",
        read: ADAPTIVE,
        start: |case| {
            form(
                case,
                with_rule(3, |c, t, lr, g| {
                    c.gather(g);
                    let (m, v) = c.hats(t);
                    c.theta -= lr * m / (v + 1e-8);
                }),
            )
        },
    },
    Mutant {
        name: "adam-eps-inside-the-root",
        mistake: "Adam's 1e-8 is under the root. It is added after the root is taken.",
        read: ADAPTIVE,
        start: |case| {
            form(
                case,
                with_rule(3, |c, t, lr, g| {
                    c.gather(g);
                    let (m, v) = c.hats(t);
                    c.theta -= lr * m / (v + 1e-8).sqrt();
                }),
            )
        },
    },
    Mutant {
        name: "adam-eps-before-the-correction",
        mistake: "Adam's 1e-8 is added to the root of v before v is corrected. Add it to the root of v_hat.",
        read: ADAPTIVE,
        start: |case| {
            form(
                case,
                with_rule(3, |c, t, lr, g| {
                    c.gather(g);
                    let root = 1.0 - 0.999f64.powi(t);
                    c.theta -= lr * c.hats(t).0 * root.sqrt() / (c.v.sqrt() + 1e-8);
                }),
            )
        },
    },
    Mutant {
        name: "adam-eps-added-to-theta",
        mistake: "a parenthesis: 1e-8 is added to theta instead of to the root. Write lr * m_hat / (v_hat.sqrt() + 1e-8).",
        read: ADAPTIVE,
        start: |case| {
            form(
                case,
                with_rule(3, |c, t, lr, g| {
                    c.gather(g);
                    let (m, v) = c.hats(t);
                    c.theta = c.theta - lr * m / v.sqrt() + 1e-8;
                }),
            )
        },
    },
    Mutant {
        name: "adam-without-eps",
        mistake: "Adam has no epsilon: where every gradient is 0 it divides 0 by 0, and theta becomes NaN.",
        read: ADAPTIVE,
        start: |case| {
            form(
                case,
                with_rule(3, |c, t, lr, g| {
                    c.gather(g);
                    let (m, v) = c.hats(t);
                    c.theta -= lr * m / v.sqrt();
                }),
            )
        },
    },
    Mutant {
        name: "adam-with-the-eps-of-adagrad",
        mistake: "Adam's epsilon is 1e-10, which is AdaGrad's. It is 1e-8.",
        read: ADAPTIVE,
        start: |case| {
            form(
                case,
                with_rule(3, |c, t, lr, g| {
                    c.gather(g);
                    let (m, v) = c.hats(t);
                    c.theta -= lr * m / (v.sqrt() + 1e-10);
                }),
            )
        },
    },
    Mutant {
        name: "adam-betas-swapped",
        mistake: "Adam's betas have changed places: m fades with 0.9, v with 0.999.",
        read: ADAPTIVE,
        start: |case| {
            form(
                case,
                with_rule(3, |c, t, lr, g| {
                    c.m = 0.999 * c.m + (1.0 - 0.999) * g;
                    c.v = 0.9 * c.v + (1.0 - 0.9) * g * g;
                    let (m, v) = (c.m / (1.0 - 0.999f64.powi(t)), c.v / (1.0 - 0.9f64.powi(t)));
                    c.move_by(lr, (m, v));
                }),
            )
        },
    },
    Mutant {
        name: "training-loss-in-the-table",
        mistake: "the table has the loss on the packages that were trained on. Take it on those kept back.",
        read: TABLES,
        start: |case| {
            form(
                case,
                Form {
                    table: |form, rates, train, _, steps| {
                        (RIGHT.table)(form, rates, train, train, steps)
                    },
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "trained-on-validation",
        mistake: "the optimizers are trained on the validation packages. Nothing may be trained on those.",
        read: TABLES,
        start: |case| {
            form(
                case,
                Form {
                    table: |form, rates, _, validation, steps| {
                        (RIGHT.table)(form, rates, validation, validation, steps)
                    },
                    best: |form, rates, train, validation, steps| {
                        let (row, lr) = (form.choose)(
                            rates,
                            &(form.table)(form, rates, train, validation, steps),
                        )?;
                        Some((row, lr, (form.train)(form, row, lr, validation, steps).1))
                    },
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "sets-swapped",
        mistake: "the two sets have changed places: trained on validation, judged on train.",
        read: TABLES,
        start: |case| {
            form(
                case,
                Form {
                    table: |form, rates, train, validation, steps| {
                        (RIGHT.table)(form, rates, validation, train, steps)
                    },
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "rate-of-the-row",
        mistake: "a row has one learning rate in all its columns. Each column has its own.",
        read: TABLES,
        start: |case| {
            form(
                case,
                Form {
                    table: |form, rates, train, validation, steps| {
                        cells(
                            |row, _| {
                                let lr = rates[row % rates.len()];
                                finite((form.loss)(
                                    &(form.train)(form, row, lr, train, steps).1,
                                    validation,
                                ))
                            },
                            rates.len(),
                        )
                    },
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "rates-sorted",
        mistake: "the columns are in the order of size of the rates. They are in the order that is given.",
        read: TABLES,
        start: |case| {
            form(
                case,
                Form {
                    table: |form, rates, train, validation, steps| {
                        let mut rates = rates.to_vec();
                        rates.sort_by(f64::total_cmp);
                        (RIGHT.table)(form, &rates, train, validation, steps)
                    },
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "rows-in-another-order",
        mistake: "the rows are upside down: SGD is first, then momentum, AdaGrad and Adam.",
        read: TABLES,
        start: |case| {
            form(
                case,
                Form {
                    table: |form, rates, train, validation, steps| {
                        let mut table = (RIGHT.table)(form, rates, train, validation, steps);
                        table.reverse();
                        table
                    },
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "same-optimizer-in-every-row",
        mistake: "every row is trained with SGD. Each row has its own optimizer.",
        read: TABLES,
        start: |case| {
            form(
                case,
                Form {
                    table: |form, rates, train, validation, steps| {
                        cells(
                            |_, column| {
                                finite((form.loss)(
                                    &(form.train)(form, 0, rates[column], train, steps).1,
                                    validation,
                                ))
                            },
                            rates.len(),
                        )
                    },
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "theta-kept-between-runs",
        mistake: "a run goes on where the run before it ended. Every run starts at theta = 0, with no state.",
        read: TABLES,
        start: |case| {
            form(
                case,
                Form {
                    table: |form, rates, train, validation, steps| {
                        let mut kept = [Cell::default(); 3];
                        std::array::from_fn(|row| {
                            rates
                                .iter()
                                .map(|&lr| {
                                    go_on(form, &mut kept, row, lr, train, 1..=steps);
                                    finite((form.loss)(&thetas(&kept), validation))
                                })
                                .collect()
                        })
                    },
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "state-kept-between-runs",
        mistake: "theta starts at 0 in every run, but the velocity, the sum and the moments are those of the run before. Make them anew.",
        read: TABLES,
        start: |case| {
            form(
                case,
                Form {
                    table: |form, rates, train, validation, steps| {
                        std::array::from_fn(|row| {
                            let mut kept = [Cell::default(); 3];
                            rates
                                .iter()
                                .map(|&lr| {
                                    kept = kept.map(|cell| Cell { theta: 0.0, ..cell });
                                    go_on(form, &mut kept, row, lr, train, 1..=steps);
                                    finite((form.loss)(&thetas(&kept), validation))
                                })
                                .collect()
                        })
                    },
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "state-shared-between-optimizers",
        mistake: "theta starts at 0 in every run, but the optimizers hand their state on to one another. Each run has its own.",
        read: TABLES,
        start: |case| {
            form(
                case,
                Form {
                    table: |form, rates, train, validation, steps| {
                        let mut kept = [Cell::default(); 3];
                        std::array::from_fn(|row| {
                            rates
                                .iter()
                                .map(|&lr| {
                                    kept = kept.map(|cell| Cell { theta: 0.0, ..cell });
                                    go_on(form, &mut kept, row, lr, train, 1..=steps);
                                    finite((form.loss)(&thetas(&kept), validation))
                                })
                                .collect()
                        })
                    },
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "nan-in-the-table",
        mistake: "a run that diverged leaves NaN in the table. A loss that is not finite counts as infinity.",
        read: TABLES,
        start: |case| {
            form(
                case,
                Form {
                    table: |form, rates, train, validation, steps| {
                        cells(
                            |row, column| {
                                (form.loss)(
                                    &(form.train)(form, row, rates[column], train, steps).1,
                                    validation,
                                )
                            },
                            rates.len(),
                        )
                    },
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "diverged-as-zero",
        mistake: "a run that diverged has the loss 0 in the table, which is the best there is. It counts as infinity.",
        read: TABLES,
        start: |case| {
            form(
                case,
                Form {
                    table: |form, rates, train, validation, steps| {
                        let mut table = (RIGHT.table)(form, rates, train, validation, steps);
                        for loss in table.iter_mut().flatten() {
                            if loss.is_infinite() {
                                *loss = 0.0;
                            }
                        }
                        table
                    },
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "least-loss-on-the-way",
        mistake: "a cell has the least loss of the run. What is judged is the theta at its end.",
        read: TABLES,
        start: |case| {
            form(
                case,
                Form {
                    table: |form, rates, train, validation, steps| {
                        cells(
                            |row, column| {
                                finite(
                                    (0..=steps)
                                        .map(|t| {
                                            (form.loss)(
                                                &(form.train)(form, row, rates[column], train, t).1,
                                                validation,
                                            )
                                        })
                                        .fold(f64::INFINITY, f64::min),
                                )
                            },
                            rates.len(),
                        )
                    },
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "last-recorded-loss",
        mistake: "a cell has the last of the recorded losses: of the packages trained on, and before the last step.",
        read: TABLES,
        start: |case| {
            form(
                case,
                Form {
                    table: |form, rates, train, _, steps| {
                        cells(
                            |row, column| {
                                let (losses, _) =
                                    (form.train)(form, row, rates[column], train, steps);
                                finite(losses.last().copied().unwrap_or(f64::INFINITY))
                            },
                            rates.len(),
                        )
                    },
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "largest-loss",
        mistake: "the largest loss is chosen. The least is the best.",
        read: CHOICE,
        start: |case| {
            form(
                case,
                Form {
                    choose: |rates, table| first(rates, table, |loss, most| loss > most),
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "last-of-equals",
        mistake: "of equal losses the last is chosen. The first one is: write <, not <=.",
        read: CHOICE,
        start: |case| {
            form(
                case,
                Form {
                    choose: |rates, table| first(rates, table, |loss, least| loss <= least),
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "smallest-rate-of-equals",
        mistake: "of equal losses the one with the smallest learning rate is chosen. The first one is, whatever its rate.",
        read: CHOICE,
        start: |case| {
            form(
                case,
                Form {
                    choose: |rates, table| {
                        let mut taken: Option<(f64, usize, f64)> = None;
                        for (row, losses) in table.iter().enumerate() {
                            for (&loss, &lr) in losses.iter().zip(rates) {
                                let better = |(least, _, old): (f64, usize, f64)| {
                                    loss < least || loss == least && lr < old
                                };
                                if loss.is_finite() && taken.is_none_or(better) {
                                    taken = Some((loss, row, lr));
                                }
                            }
                        }
                        taken.map(|(_, row, lr)| (row, lr))
                    },
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "column-by-column",
        mistake: "of equal losses the one in the first column is chosen. The first row comes first.",
        read: CHOICE,
        start: |case| {
            form(
                case,
                Form {
                    choose: |rates, table| {
                        let mut taken: Option<(f64, usize, f64)> = None;
                        for (column, &lr) in rates.iter().enumerate() {
                            for (row, losses) in table.iter().enumerate() {
                                let loss = losses[column];
                                if loss.is_finite() && taken.is_none_or(|(least, ..)| loss < least)
                                {
                                    taken = Some((loss, row, lr));
                                }
                            }
                        }
                        taken.map(|(_, row, lr)| (row, lr))
                    },
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "stuck-at-nan",
        mistake: "the search starts with the first cell. If that is NaN, no loss is less than it, and NaN is chosen.",
        read: CHOICE,
        start: |case| {
            form(
                case,
                Form {
                    choose: |rates, table| {
                        let (mut row, mut column) = (0, 0);
                        for r in 0..4 {
                            for c in 0..rates.len() {
                                if table[r][c] < table[row][column] {
                                    (row, column) = (r, c);
                                }
                            }
                        }
                        let loss = *table[row].get(column)?;
                        (loss.is_nan() || loss.is_finite()).then(|| (row, rates[column]))
                    },
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "nan-is-taken",
        mistake: "NaN is chosen: !(loss >= least) holds for it. Look at finite losses only.",
        read: CHOICE,
        start: |case| {
            form(
                case,
                Form {
                    choose: |rates, table| {
                        let mut least = f64::INFINITY;
                        let mut taken = None;
                        for (row, losses) in table.iter().enumerate() {
                            for (&loss, &lr) in losses.iter().zip(rates) {
                                if loss < least || loss.is_nan() {
                                    least = loss;
                                    taken = Some((row, lr));
                                }
                            }
                        }
                        taken
                    },
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "infinity-is-chosen",
        mistake: "a run that diverged is chosen where no other is left. If no loss is finite, there is no choice: None.",
        read: CHOICE,
        start: |case| {
            form(
                case,
                Form {
                    choose: |rates, table| {
                        first(rates, table, |loss, least| loss < least)
                            .or_else(|| rates.first().map(|&lr| (0, lr)))
                    },
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "minus-nan-is-least",
        mistake: "total_cmp puts a NaN with a minus sign before every number. Look at finite losses only.",
        read: CHOICE,
        start: |case| {
            form(
                case,
                Form {
                    choose: |rates, table| {
                        let all = table.iter().enumerate().flat_map(|(row, losses)| {
                            losses
                                .iter()
                                .zip(rates)
                                .map(move |(&loss, &lr)| (loss, row, lr))
                        });
                        let (loss, row, lr) = all.min_by(|a, b| a.0.total_cmp(&b.0))?;
                        (loss.is_finite() || loss.is_nan() && loss.is_sign_negative())
                            .then_some((row, lr))
                    },
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "rate-of-the-row-chosen",
        mistake: "the learning rate is the one with the number of the row. It is that of the column.",
        read: CHOICE,
        start: |case| {
            form(
                case,
                Form {
                    choose: |rates, table| {
                        let (row, _) = (RIGHT.choose)(rates, table)?;
                        Some((row, rates[row % rates.len()]))
                    },
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "zero-is-skipped",
        mistake: "a loss of 0 is passed over, as if it were missing. It is the best that there can be.",
        read: CHOICE,
        start: |case| {
            form(
                case,
                Form {
                    choose: |rates, table| {
                        let table: Table = std::array::from_fn(|row| {
                            table[row]
                                .iter()
                                .map(|&loss| if loss == 0.0 { f64::NAN } else { loss })
                                .collect()
                        });
                        first(rates, &table, |loss, least| loss < least)
                    },
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "best-row-on-average",
        mistake: "the row with the least mean is chosen, and the best rate in it. One rate that is too large spoils a row's mean; look at single cells.",
        read: CHOICE,
        start: |case| {
            form(
                case,
                Form {
                    choose: |rates, table| {
                        let sum = |row: usize| {
                            let finite: Vec<_> = table[row]
                                .iter()
                                .copied()
                                .filter(|loss| loss.is_finite())
                                .collect();
                            finite.iter().sum::<f64>() / finite.len() as f64
                        };
                        let mut taken: Option<usize> = None;
                        for row in 0..4 {
                            if sum(row).is_finite() && taken.is_none_or(|old| sum(row) < sum(old)) {
                                taken = Some(row);
                            }
                        }
                        let row = taken?;
                        let mut alone = Table::default();
                        alone[row].clone_from(&table[row]);
                        first(rates, &alone, |loss, least| loss < least)
                    },
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "always-adam",
        mistake: "Adam is chosen whatever the table says: only its row is searched. Search all four.",
        read: CHOICE,
        start: |case| {
            form(
                case,
                Form {
                    choose: |rates, table| {
                        let mut alone = Table::default();
                        alone[3].clone_from(&table[3]);
                        first(rates, &alone, |loss, least| loss < least)
                    },
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "chosen-by-training-loss",
        mistake: "best chooses by the loss on the packages that were trained on. Those kept back decide.",
        read: CHOICE,
        start: |case| {
            form(
                case,
                Form {
                    best: |form, rates, train, _, steps| {
                        (RIGHT.best)(form, rates, train, train, steps)
                    },
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "theta-of-the-last-run",
        mistake: "theta is that of the last run of the table, not of the chosen one.",
        read: CHOICE,
        start: |case| {
            form(
                case,
                Form {
                    best: |form, rates, train, validation, steps| {
                        let (row, lr, _) = (RIGHT.best)(form, rates, train, validation, steps)?;
                        let last = rates[rates.len() - 1];
                        Some((row, lr, (form.train)(form, 3, last, train, steps).1))
                    },
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "theta-from-all-packages",
        mistake: "theta is trained anew on all packages, those kept back among them. Then nothing is left to judge it by.",
        read: CHOICE,
        start: |case| {
            form(
                case,
                Form {
                    best: |form, rates, train, validation, steps| {
                        let (row, lr, _) = (RIGHT.best)(form, rates, train, validation, steps)?;
                        Some((
                            row,
                            lr,
                            (form.train)(form, row, lr, &[train, validation].concat(), steps).1,
                        ))
                    },
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "theta-not-trained",
        mistake: "theta is still 0. The chosen optimizer has to be trained, or its theta kept.",
        read: CHOICE,
        start: |case| {
            form(
                case,
                Form {
                    best: |form, rates, train, validation, steps| {
                        let (row, lr, _) = (RIGHT.best)(form, rates, train, validation, steps)?;
                        Some((row, lr, [0.0; 3]))
                    },
                    ..RIGHT
                },
            )
        },
    },
    Mutant {
        name: "choice-written-down",
        mistake: "best always answers Adam with the first rate. Other packages have another best: compute it from the table.",
        read: CHOICE,
        start: |case| {
            form(
                case,
                Form {
                    best: |form, rates, train, _, steps| {
                        let &lr = rates.first()?;
                        Some((3, lr, (form.train)(form, 3, lr, train, steps).1))
                    },
                    ..RIGHT
                },
            )
        },
    },
];

// --- Variants -----------------------------------------------------------------------------------------------------------

static VARIANTS: &[Variant] = &[
    Variant {
        name: "as-in-the-solution",
        start: |case| form(case, RIGHT),
    },
    Variant {
        name: "rates-folded-and-orders-reversed",
        start: |case| {
            let rules: [Rule; 4] = [
                |c, _, lr, g| c.theta += -(g * lr),
                // The learning rate inside the velocity: the same while it is constant.
                |c, _, lr, g| {
                    c.m = 0.9 * c.m - lr * g;
                    c.theta += c.m;
                },
                |c, _, lr, g| {
                    c.v = c.v.hypot(g);
                    c.theta -= g * (lr / (c.v + 1e-10));
                },
                |c, t, lr, g| {
                    c.m += (g - c.m) * (1.0 - 0.9);
                    c.v += (g * g - c.v) * (1.0 - 0.999);
                    let [bc1, bc2] = [0.9f64, 0.999].map(|beta| 1.0 - beta.powf(f64::from(t)));
                    c.theta -= lr / bc1 * c.m / (c.v.sqrt() / bc2.sqrt() + 1e-8);
                },
            ];
            let changed = Form {
                rules,
                loss: |theta, data| {
                    let squares = data.iter().rev().map(|package| {
                        let error = -error_of(theta, package);
                        error * error / data.len() as f64
                    });
                    squares.sum()
                },
                choose: |rates, table| {
                    let mut cells = Vec::new();
                    for (row, losses) in table.iter().enumerate() {
                        cells.extend(losses.iter().zip(rates).map(|(&loss, &lr)| (loss, row, lr)));
                    }
                    cells.retain(|(loss, ..)| loss.abs() < f64::INFINITY);
                    cells.sort_by(|a, b| a.0.total_cmp(&b.0));
                    cells.first().map(|&(_, row, lr)| (row, lr))
                },
                ..RIGHT
            };
            form(case, changed)
        },
    },
    Variant {
        name: "features-with-a-one",
        start: |case| {
            let changed = Form {
                gradient: |theta, data| {
                    let mut grad = [0.0; 3];
                    for &[distance, weight, hours] in data {
                        let x = [distance, weight, 1.0];
                        let dot: f64 = x.iter().zip(theta).map(|(x, theta)| x * theta).sum();
                        for (g, x) in grad.iter_mut().zip(x) {
                            *g += (dot - hours) * x;
                        }
                    }
                    grad.map(|g| g / data.len() as f64 * 2.0)
                },
                // Column by column, and from the last row to the first.
                table: |form, rates, train, validation, steps| {
                    let mut table = Table::default();
                    for &lr in rates {
                        for row in (0..4).rev() {
                            let (_, theta) = (form.train)(form, row, lr, train, steps);
                            let loss = (form.loss)(&theta, validation);
                            table[row].push(if loss.is_nan() { f64::INFINITY } else { loss });
                        }
                    }
                    table
                },
                choose: |rates, table| {
                    // From the end to the start, so that of equals the last one met is the first.
                    let mut taken = None;
                    let mut least = f64::MAX;
                    for (row, losses) in table.iter().enumerate().rev() {
                        for (&loss, &lr) in losses.iter().zip(rates).rev() {
                            if loss <= least {
                                (taken, least) = (Some((row, lr)), loss);
                            }
                        }
                    }
                    taken
                },
                ..RIGHT
            };
            form(case, changed)
        },
    },
    Variant {
        name: "every-run-kept",
        start: |case| {
            let changed = Form {
                // The thetas of the table are kept, and none is trained twice.
                best: |form, rates, train, validation, steps| {
                    let mut runs = Vec::new();
                    for row in 0..4 {
                        for &lr in rates {
                            let (_, theta) = (form.train)(form, row, lr, train, steps);
                            runs.push(((form.loss)(&theta, validation), row, lr, theta));
                        }
                    }
                    let finite = runs.into_iter().filter(|(loss, ..)| loss.is_finite());
                    // Of equals, min_by gives the first.
                    let least = finite.min_by(|a, b| a.0.total_cmp(&b.0))?;
                    Some((least.1, least.2, least.3))
                },
                ..RIGHT
            };
            form(case, changed)
        },
    },
];

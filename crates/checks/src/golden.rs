//! Recorded runs of PyTorch and optax in `f64`, one text file each, made by `tools/golden.py`.
//!
//! A file is comments (`# key: value`, where `name`, `what`, `tool` and `command` are always there) and then lines of a label and its values:
//!
//! ```text
//! set lr 0.01         one hyperparameter
//! gradients random    take the `start` and `grad` lines from that file
//! start 0.5 -0.25     the parameters before the first step
//! grad 1.0 -2.0       the gradients of a step; each one begins the next step
//! theta 0.49 -0.24    the parameters after it; so m, v, m_hat, v_hat where the run has them
//! ```
//!
//! In the files of schedules `grad` is t, the number of updates done, and each other label is a schedule with its learning rate.
//!
//! ```
//! let golden = moments_checks::golden::adam_square();
//! assert_eq!(golden.setting("lr"), 0.001);
//! let third = &golden.steps[2];
//! assert!((third.theta()[0] - 2.997_000_031_901_48).abs() < 1e-14);
//! assert!((third.get("v_hat")[0] - 35.975_990_73).abs() < 1e-8);
//! ```

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        /// The name and the text of every golden file.
        const FILES: &[(&str, &str)] = &[$(($name, include_str!(concat!("../golden/", $name, ".txt")))),*];
    };
}

files![
    "random",
    "adam-square",
    "adam-torch",
    "adam-optax",
    "adam-eps-root-optax",
    "adam-weight-decay-torch",
    "amsgrad-torch",
    "amsgrad-optax",
    "sgd-torch",
    "sgd-optax",
    "sgd-momentum-torch",
    "sgd-momentum-optax",
    "sgd-nesterov-torch",
    "sgd-nesterov-optax",
    "sgd-weight-decay-torch",
    "sgd-average-optax",
    "sgdw-optax",
    "adagrad-torch",
    "adagrad-initial-torch",
    "rmsprop-torch",
    "rmsprop-centered-torch",
    "adamw-torch",
    "adamw-optax",
    "clip-optax",
    "schedules-torch",
    "schedules-optax",
];

/// The file that holds gradients for the others, and those that hold learning rates: no runs.
const NO_RUNS: &[&str] = &["random", "schedules-torch", "schedules-optax"];

/// One recorded run.
#[derive(Clone, Debug)]
pub struct Golden {
    /// The file's name without its ending, such as `adam-torch`.
    pub name: String,
    /// The optimizer as its library calls it, such as `torch.optim.Adam`.
    pub what: String,
    /// The tool and its version.
    pub tool: String,
    /// The command that made the file.
    pub command: String,
    /// The hyperparameters by name; one that is not there was left at zero.
    pub settings: Vec<(String, f64)>,
    /// The parameters before the first step.
    pub start: Vec<f64>,
    /// The steps; the first is t = 1.
    pub steps: Vec<Recorded>,
}

/// One step of a recorded run.
#[derive(Clone, Debug, Default)]
pub struct Recorded {
    /// The gradients that the step was given.
    pub grad: Vec<f64>,
    /// What was recorded after the step, by label: `theta`, and `m`, `v`, `m_hat`, `v_hat` where the run has them.
    pub values: Vec<(String, Vec<f64>)>,
}

impl Recorded {
    /// What was recorded under a label.
    ///
    /// # Panics
    /// If nothing was.
    pub fn get(&self, label: &str) -> &[f64] {
        self.values
            .iter()
            .find_map(|(name, values)| (name == label).then_some(values.as_slice()))
            .unwrap_or_else(|| panic!("this golden run has no `{label}`"))
    }

    /// The parameters after the step.
    ///
    /// # Panics
    /// If the file has no `theta` line for this step; the tests of this crate make sure that it has.
    pub fn theta(&self) -> &[f64] {
        self.get("theta")
    }
}

impl Golden {
    /// A hyperparameter; zero where the run leaves it out.
    pub fn setting(&self, name: &str) -> f64 {
        self.settings
            .iter()
            .find_map(|(key, value)| (key == name).then_some(*value))
            .unwrap_or(0.0)
    }

    /// The gradients of every step.
    pub fn grads(&self) -> Vec<Vec<f64>> {
        self.steps.iter().map(|step| step.grad.clone()).collect()
    }
}

/// The names of all recorded runs.
pub fn names() -> impl Iterator<Item = &'static str> {
    let named = FILES.iter().map(|&(name, _)| name);
    named.filter(|name| !NO_RUNS.contains(name))
}

/// A recorded run by name.
///
/// # Panics
/// If there is no golden file of that name, or it cannot be read.
pub fn get(name: &str) -> Golden {
    parse(text(name)).unwrap_or_else(|error| panic!("golden file `{name}`: {error}"))
}

/// The worked trace of chapter 04: PyTorch's Adam on f(x) = x² from x = 3 with a learning rate of 0.001, ten steps.
///
/// It records `theta`, `m`, `v`, `m_hat` and `v_hat`.
///
/// # Panics
/// Never: the tests of this crate read the file.
pub fn adam_square() -> Golden {
    get("adam-square")
}

fn text(name: &str) -> &'static str {
    let found = FILES.iter().find(|(known, _)| *known == name);
    found
        .unwrap_or_else(|| panic!("there is no golden file `{name}`"))
        .1
}

/// Reads a golden file.
///
/// # Errors
/// A sentence with the line's number, where a line is not as the module's documentation says.
pub fn parse(text: &str) -> Result<Golden, String> {
    let mut golden = Golden {
        name: String::new(),
        what: String::new(),
        tool: String::new(),
        command: String::new(),
        settings: Vec::new(),
        start: Vec::new(),
        steps: Vec::new(),
    };
    // Gradients from another file, handed out one at each `theta` line.
    let mut borrowed = Vec::new().into_iter();

    for (index, line) in text.lines().enumerate() {
        let fail = |what: String| format!("line {}: {what}", index + 1);
        if let Some(comment) = line.strip_prefix('#') {
            if let Some((key, value)) = comment.trim().split_once(": ") {
                let value = value.to_owned();
                match key {
                    "name" => golden.name = value,
                    "what" => golden.what = value,
                    "tool" => golden.tool = value,
                    "command" => golden.command = value,
                    _ => {}
                }
            }
            continue;
        }
        let (label, rest) = line
            .split_once(' ')
            .ok_or_else(|| fail(format!("`{line}` is not a label and its values")))?;
        match label {
            "set" => {
                let (key, value) = rest
                    .split_once(' ')
                    .ok_or_else(|| fail(format!("`{rest}` is not a name and a number")))?;
                golden
                    .settings
                    .push((key.to_owned(), numbers(value).map_err(fail)?[0]));
            }
            "gradients" => {
                let source = parse(self::text(rest)).map_err(fail)?;
                golden.start.clone_from(&source.start);
                borrowed = source.grads().into_iter();
            }
            "start" => golden.start = numbers(rest).map_err(fail)?,
            "grad" => golden.steps.push(Recorded {
                grad: numbers(rest).map_err(fail)?,
                values: Vec::new(),
            }),
            _ => {
                if label == "theta"
                    && let Some(grad) = borrowed.next()
                {
                    golden.steps.push(Recorded {
                        grad,
                        values: Vec::new(),
                    });
                }
                let values = numbers(rest).map_err(fail)?;
                if values.len() != golden.start.len() {
                    return Err(fail(format!(
                        "{} values for {} parameters",
                        values.len(),
                        golden.start.len()
                    )));
                }
                let step = golden
                    .steps
                    .last_mut()
                    .ok_or_else(|| fail(format!("`{label}` before the first gradient")))?;
                step.values.push((label.to_owned(), values));
            }
        }
    }
    Ok(golden)
}

fn numbers(text: &str) -> Result<Vec<f64>, String> {
    text.split(' ')
        .map(|word| {
            word.parse()
                .map_err(|_| format!("`{word}` is not a number"))
        })
        .collect()
}

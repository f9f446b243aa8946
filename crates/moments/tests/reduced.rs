//! What it costs in accuracy to keep the state in fewer bits, measured against the same run with its state in full.
//!
//! The figures in the documentation of `Storage` are those that `cargo test -p moments --test reduced -- --nocapture` prints.

use moments::{Adam, Error, Optimizer, Rule, Storage};
use moments_checks::Random;

/// A repeatable stream of numbers in (-1, 1).
fn uniform(seed: u64) -> impl FnMut() -> f32 {
    let mut random = Random::new(seed);
    move || (random.bits() >> 40) as f32 / (1u64 << 23) as f32 - 1.0
}

/// How a run with reduced state differs from one in full, after 2,000 steps of noisy gradients whose scales span `octaves`.
struct Cost {
    /// The root mean square of the difference of v, relative to v.
    v_rms: f64,
    /// The mean of the difference of v, relative to v: what does not average out.
    v_bias: f64,
    /// The root mean square of the difference of the last update, relative to the learning rate.
    update_rms: f64,
}

fn cost(storage: Storage, octaves: i32) -> Cost {
    let n = 4096;
    let adam = Adam::default();
    let mut full = Optimizer::<_, f32>::new(adam);
    let mut reduced = Optimizer::with_storage(adam, storage);
    let (mut a, mut b) = (vec![0.0_f32; n], vec![0.0_f32; n]);
    let mut next = uniform(7);
    let (mut before_a, mut before_b) = (a.clone(), b.clone());
    for _ in 0..2000 {
        let grad: Vec<f32> = (0..n)
            .map(|i| (next() + 0.3) * 2f32.powi(-(i as i32 % (octaves + 1))))
            .collect();
        before_a.clone_from(&a);
        before_b.clone_from(&b);
        full.step(&mut a, &grad).unwrap();
        reduced.step(&mut b, &grad).unwrap();
    }
    let v = full.state("exp_avg_sq").unwrap();
    let w = reduced.state_decoded("exp_avg_sq").unwrap();
    let relative: Vec<f64> = v
        .iter()
        .zip(&w)
        .map(|(v, w)| f64::from(w / v) - 1.0)
        .collect();
    let rms = |x: &[f64]| (x.iter().map(|x| x * x).sum::<f64>() / x.len() as f64).sqrt();
    let updates: Vec<f64> = (0..n)
        .map(|i| f64::from((a[i] - before_a[i]) - (b[i] - before_b[i])) / adam.lr)
        .collect();
    Cost {
        v_rms: rms(&relative),
        v_bias: relative.iter().sum::<f64>() / n as f64,
        update_rms: rms(&updates),
    }
}

#[test]
fn the_error_of_reduced_state_is_what_the_documentation_says() {
    println!("storage  octaves   rms of v   bias of v   rms of update / lr");
    for (storage, octaves, v_rms, v_bias, update_rms) in [
        (Storage::Bf16, 10, 0.035, 0.001, 0.01),
        (Storage::Bits8, 4, 0.22, 0.01, 0.07),
        (Storage::Bits8, 10, 0.22, 0.01, 0.07),
    ] {
        let cost = cost(storage, octaves);
        println!(
            "{storage:?}  {octaves:>6}  {:>9.4}  {:>9.5}  {:>9.4}",
            cost.v_rms, cost.v_bias, cost.update_rms
        );
        assert!(
            cost.v_rms <= v_rms && cost.v_bias.abs() <= v_bias,
            "{storage:?}"
        );
        assert!(cost.update_rms <= update_rms, "{storage:?}");
    }
}

/// The loss after 3,000 steps of Adam on a least-squares problem with noisy gradients.
fn final_loss(storage: Storage) -> f64 {
    let n = 300;
    let mut theta = vec![0.0_f32; n];
    let mut opt = Optimizer::with_storage(
        Adam {
            lr: 3e-3,
            ..Adam::default()
        },
        storage,
    );
    let mut next = uniform(3);
    let target: Vec<f32> = (0..n).map(|_| next()).collect();
    let scale = |i: usize| 4f32.powi(-(i as i32 % 6));
    for t in 0..3000 {
        opt.rule.lr = 3e-3 * (1.0 - f64::from(t) / 3000.0);
        let grad: Vec<f32> = (0..n)
            .map(|i| scale(i) * (theta[i] - target[i] + 0.5 * next()))
            .collect();
        opt.step(&mut theta, &grad).unwrap();
    }
    let error = theta.iter().zip(&target).map(|(x, y)| f64::from(x - y));
    error.map(|e| e * e).sum::<f64>() / n as f64
}

#[test]
fn training_ends_where_it_ends_with_full_state() {
    let full = final_loss(Storage::Full);
    let start = 1.0 / 3.0;
    for storage in [Storage::Bf16, Storage::Bits8] {
        let loss = final_loss(storage);
        println!("{storage:?}: {loss:.3e}, in full {full:.3e}, at the start {start:.3e}");
        assert!(loss < 1.25 * full, "{storage:?}: {loss} {full}");
    }
}

#[test]
fn state_takes_the_bytes_that_the_documentation_says() {
    let bytes = |storage| {
        let mut opt = Optimizer::<_, f32>::with_storage(Adam::default(), storage);
        opt.step(&mut vec![0.0; 1 << 16], &vec![1.0; 1 << 16])
            .unwrap();
        opt.state_bytes() as f64 / f64::from(1 << 16)
    };
    assert_eq!(bytes(Storage::Full), 8.0);
    assert_eq!(bytes(Storage::Bf16), 4.0);
    assert_eq!(bytes(Storage::Bits8), 2.0 + 8.0 / 256.0);
}

#[test]
fn the_same_run_gives_the_same_bits() {
    let run = || {
        let mut theta = vec![0.25_f32; 3000];
        let mut opt = Optimizer::with_storage(Adam::default(), Storage::Bits8);
        let mut next = uniform(5);
        for _ in 0..20 {
            let grad: Vec<f32> = (0..3000).map(|_| next()).collect();
            opt.step(&mut theta, &grad).unwrap();
        }
        theta
    };
    assert_eq!(run(), run());
}

#[test]
fn a_rule_whose_state_does_not_start_at_zero_refuses_fewer_bits_and_changes_nothing() {
    #[derive(Clone, Copy, Debug)]
    struct FromOne;
    impl Rule for FromOne {
        fn name(&self) -> &'static str {
            "from one"
        }
        fn validate(&self) -> Result<(), Error> {
            Ok(())
        }
        fn lr(&self) -> f64 {
            1.0
        }
        fn set_lr(&mut self, _: f64) {}
        fn state_names(&self, _: &[usize]) -> &'static [&'static str] {
            &["sum"]
        }
        fn initial(&self, _: &str) -> moments::Initial {
            moments::Initial::Value(1.0)
        }
        fn step<T: moments::Float>(&self, step: moments::Step<'_, T>) {
            step.theta.fill(T::of(9.0));
        }
    }
    let mut theta = [1.0];
    let mut opt = Optimizer::with_storage(FromOne, Storage::Bf16);
    let error = opt.step(&mut theta, &[1.0]).unwrap_err();
    assert_eq!(error, Error::Storage { rule: "from one" });
    assert!(error.to_string().contains("use Storage::Full"));
    assert_eq!((opt.t(), theta), (0, [1.0]));
}

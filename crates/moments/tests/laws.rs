//! Facts that hold for the rules whatever the gradients.

use moments::{Adam, AmsGrad, BiasCorrection, EpsAt, Float, Momentum, Optimizer, Rule, Sgd, VMax};
use ndarray::{Array, Array2, Array3, Axis, Ix3, s};

/// A repeatable stream of numbers in (-1, 1) (splitmix64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        (z >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }

    fn take(&mut self, n: usize) -> Vec<f64> {
        (0..n).map(|_| self.next()).collect()
    }
}

/// The parameters after each step from zero.
fn trajectory<R: Rule>(rule: R, grads: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let mut theta = vec![0.0; grads[0].len()];
    let mut opt = Optimizer::new(rule);
    grads
        .iter()
        .map(|g| {
            opt.step(&mut theta, g).unwrap();
            theta.clone()
        })
        .collect()
}

fn gradients(seed: u64, steps: usize, n: usize) -> Vec<Vec<f64>> {
    let mut numbers = Numbers(seed);
    (0..steps).map(|_| numbers.take(n)).collect()
}

fn assert_close(a: &[Vec<f64>], b: &[Vec<f64>], relative: f64) {
    for (a, b) in a.iter().flatten().zip(b.iter().flatten()) {
        assert!((a - b).abs() <= relative * a.abs().max(b.abs()), "{a} {b}");
    }
}

#[test]
fn first_step_is_lr_times_sign() {
    for scale in [1e-100, 1e-3, 1.0, 1e100] {
        let adam = Adam {
            eps: 0.0,
            ..Adam::default()
        };
        let [theta] = &trajectory(adam, &[vec![3.0 * scale, -scale]])[..] else {
            unreachable!()
        };
        assert!((theta[0] + 1e-3).abs() < 1e-17 && (theta[1] - 1e-3).abs() < 1e-17);
    }
}

#[test]
fn adam_without_epsilon_does_not_see_the_scale_of_the_gradient() {
    let grads = gradients(1, 200, 5);
    let scaled = |c: f64| -> Vec<Vec<f64>> {
        let scale = |g: &Vec<f64>| g.iter().map(|g| c * g).collect();
        grads.iter().map(scale).collect()
    };
    let adam = Adam {
        eps: 0.0,
        ..Adam::default()
    };
    let reference = trajectory(adam, &grads);
    // A power of two changes exponents alone, so that even the bits agree.
    assert_eq!(trajectory(adam, &scaled(1024.0)), reference);
    // Where θ comes back to zero, the rounding of the steps shows.
    assert_close(&trajectory(adam, &scaled(1e6)), &reference, 1e-9);
}

#[test]
fn a_gradient_that_is_always_zero_moves_nothing() {
    let zeros = vec![vec![0.0; 4]; 20];
    let still = zeros.clone();
    assert_eq!(trajectory(Adam::default(), &zeros), still);
    assert_eq!(trajectory(AmsGrad::torch(), &zeros), still);
    assert_eq!(trajectory(AmsGrad::optax(), &zeros), still);
    let sgd = Sgd {
        momentum: 0.9,
        nesterov: true,
        ..Sgd::default()
    };
    assert_eq!(trajectory(sgd, &zeros), still);
}

#[test]
fn a_constant_gradient_is_recovered_by_both_corrected_moments() {
    let adam = Adam::default();
    let mut opt = Optimizer::new(adam);
    let mut theta = [0.0_f64];
    for t in 1..=10_000 {
        opt.step(&mut theta, &[-0.7]).unwrap();
        let (bc1, bc2) = adam.corrections(t);
        let m_hat = opt.state("exp_avg").unwrap()[0] / bc1;
        let v_hat = opt.state("exp_avg_sq").unwrap()[0] / bc2;
        assert!(
            (m_hat + 0.7).abs() < 1e-12 && (v_hat - 0.49).abs() < 1e-11,
            "{t}"
        );
    }
}

#[test]
fn one_gradient_after_long_silence_takes_the_largest_step_that_the_paper_allows() {
    // Kingma & Ba, section 2.1: (1 - beta1) > sqrt(1 - beta2) gives lr * (1 - beta1) / sqrt(1 - beta2).
    let (lr, beta1, beta2) = (1e-3, 0.9_f64, 0.999_f64);
    let bound = lr * (1.0 - beta1) / (1.0 - beta2).sqrt();
    let mut sparse = vec![vec![0.0]; 5000];
    sparse.push(vec![1.0]);
    let path = trajectory(
        Adam {
            lr,
            beta1,
            beta2,
            ..Adam::default()
        },
        &sparse,
    );
    let last = path.last().unwrap()[0].abs();
    assert!(last < bound * 1.01 && last > bound * 0.98, "{last} {bound}");
}

#[test]
fn each_incomplete_correction_misses_the_first_step_by_its_own_factor() {
    let step = |bias_correction| {
        let adam = Adam {
            eps: 0.0,
            bias_correction,
            ..Adam::default()
        };
        trajectory(adam, &[vec![-2.0]])[0][0] / 1e-3
    };
    assert!((step(BiasCorrection::Both) - 1.0).abs() < 1e-12);
    assert!((step(BiasCorrection::First) - 1000f64.sqrt()).abs() < 1e-9);
    assert!((step(BiasCorrection::Second) - 0.1).abs() < 1e-12);
    assert!((step(BiasCorrection::Neither) - 10f64.sqrt()).abs() < 1e-9);
}

#[test]
fn epsilon_before_the_correction_is_a_larger_epsilon_after_it() {
    // At t = 1, sqrt(1 - beta2) = sqrt(0.001).
    let grads = [vec![1e-8]];
    let before = Adam {
        eps_at: EpsAt::Uncorrected,
        ..Adam::default()
    };
    let after = Adam {
        eps: 1e-8 / 0.001_f64.sqrt(),
        ..Adam::default()
    };
    assert_close(
        &trajectory(before, &grads),
        &trajectory(after, &grads),
        1e-12,
    );
}

#[test]
fn v_max_never_falls_in_any_form() {
    for v_max in [VMax::Paper, VMax::Torch, VMax::Optax] {
        let mut opt = Optimizer::new(AmsGrad {
            v_max,
            beta2: 0.9,
            ..AmsGrad::default()
        });
        let mut theta = vec![0.0; 3];
        let mut last = vec![0.0; 3];
        for grad in gradients(2, 300, 3) {
            opt.step(&mut theta, &grad).unwrap();
            let now = opt.state("max_exp_avg_sq").unwrap();
            assert!(now.iter().zip(&last).all(|(now, last)| now >= last));
            last = now.to_vec();
        }
    }
}

#[test]
fn the_three_forms_of_amsgrad_are_three_algorithms() {
    let grads = gradients(3, 50, 1);
    let ends = [VMax::Paper, VMax::Torch, VMax::Optax].map(|v_max| {
        trajectory(
            AmsGrad {
                v_max,
                ..AmsGrad::default()
            },
            &grads,
        )[49][0]
    });
    for (i, j) in [(0, 1), (0, 2), (1, 2)] {
        assert!((ends[i] - ends[j]).abs() > 1e-3 * ends[i].abs(), "{ends:?}");
    }
}

#[test]
fn ema_momentum_is_the_heavy_ball_at_a_smaller_rate() {
    for nesterov in [false, true] {
        let heavy_ball = Sgd {
            lr: 0.01,
            momentum: 0.9,
            nesterov,
            ..Sgd::default()
        };
        let ema = Sgd {
            lr: 0.1,
            convention: Momentum::Ema,
            ..heavy_ball
        };
        let grads = gradients(4, 100, 4);
        assert_close(
            &trajectory(heavy_ball, &grads),
            &trajectory(ema, &grads),
            1e-10,
        );
    }
}

#[test]
fn an_ema_velocity_never_exceeds_the_largest_gradient() {
    let rule = Sgd {
        momentum: 0.9,
        convention: Momentum::Ema,
        ..Sgd::default()
    };
    let mut opt = Optimizer::new(rule);
    for grad in gradients(5, 500, 1) {
        opt.step(&mut [0.0], &grad).unwrap();
        assert!(opt.state("momentum_buffer").unwrap()[0].abs() < 1.0);
    }
}

#[test]
fn momentum_can_be_switched_on_between_steps() {
    let mut opt = Optimizer::new(Sgd {
        lr: 1.0,
        ..Sgd::default()
    });
    let mut x = [0.0];
    opt.step(&mut x, &[1.0]).unwrap();
    opt.rule.momentum = 0.5;
    opt.step(&mut x, &[1.0]).unwrap();
    opt.step(&mut x, &[1.0]).unwrap();
    assert_eq!(x, [-1.0 - 1.0 - 1.5]);
}

/// Steps the same numbers as a plain vector and in another memory layout, and compares bits.
fn assert_same_bits_in_every_layout<R: Rule, T: Float>(rule: R) {
    let (rows, columns, depth) = (5, 7, 3);
    let n = rows * columns * depth;
    let mut numbers = Numbers(6);
    let start: Vec<T> = numbers.take(n).into_iter().map(T::of).collect();
    let grads: Vec<Vec<T>> = (0..4)
        .map(|_| numbers.take(n).into_iter().map(T::of).collect())
        .collect();

    let mut plain = start.clone();
    let mut opt = Optimizer::new(rule);
    for grad in &grads {
        opt.step(&mut plain, grad).unwrap();
    }
    let bits = |values: &mut dyn Iterator<Item = T>| -> Vec<u64> {
        values.map(|x| x.to_f64().to_bits()).collect()
    };
    let expected = bits(&mut plain.into_iter());

    let shape = Ix3(rows, columns, depth);
    let standard = |v: &[T]| Array::from_shape_vec(shape, v.to_vec()).unwrap();
    // Column-major memory, the logical order unchanged.
    let fortran = |v: &[T]| {
        let mut a = Array3::from_elem((depth, columns, rows), T::default()).reversed_axes();
        a.assign(&standard(v));
        a
    };
    for (strided_params, strided_grad) in [(false, true), (true, false), (true, true)] {
        let mut theta = if strided_params {
            fortran(&start)
        } else {
            standard(&start)
        };
        let mut opt = Optimizer::new(rule);
        for grad in &grads {
            let grad = if strided_grad {
                fortran(grad)
            } else {
                standard(grad)
            };
            opt.step(&mut theta, &grad).unwrap();
        }
        assert_eq!(bits(&mut theta.iter().copied()), expected);
    }

    // Every second column of a wider array, and a reversed axis: the entries between are left alone.
    let guard = T::of(123.0);
    let mut wide = Array3::from_elem((rows, 2 * columns, depth), guard);
    wide.slice_mut(s![..;-1, ..;2, ..])
        .assign(&standard(&start));
    let mut opt = Optimizer::new(rule);
    for grad in &grads {
        let mut view = wide.slice_mut(s![..;-1, ..;2, ..]);
        opt.step(&mut view, &standard(grad)).unwrap();
    }
    let view = wide.slice(s![..;-1, ..;2, ..]);
    assert_eq!(bits(&mut view.iter().copied()), expected);
    assert!(wide.slice(s![.., 1..;2, ..]).iter().all(|x| *x == guard));
}

#[test]
fn memory_layout_does_not_change_a_bit() {
    let sgd = Sgd {
        momentum: 0.9,
        nesterov: true,
        ..Sgd::default()
    };
    assert_same_bits_in_every_layout::<_, f64>(Adam::default());
    assert_same_bits_in_every_layout::<_, f32>(Adam::default());
    assert_same_bits_in_every_layout::<_, f64>(AmsGrad::optax());
    assert_same_bits_in_every_layout::<_, f32>(AmsGrad::paper());
    assert_same_bits_in_every_layout::<_, f64>(sgd);
    assert_same_bits_in_every_layout::<_, f32>(Sgd::default());
}

#[test]
fn a_broadcast_gradient_counts_once_per_parameter() {
    let mut theta = Array2::<f64>::zeros((2, 3));
    let row = Array::from_vec(vec![1.0, 2.0, 3.0]);
    let grad = row.broadcast((2, 3)).unwrap();
    let mut opt = Optimizer::new(Sgd {
        lr: 1.0,
        ..Sgd::default()
    });
    opt.step(&mut theta, &grad).unwrap();
    for line in theta.axis_iter(Axis(0)) {
        assert_eq!(line.to_vec(), [-1.0, -2.0, -3.0]);
    }
}

#[test]
fn arrays_without_axes_and_of_any_rank_are_stepped() {
    let mut scalar = ndarray::arr0(3.0_f64);
    let mut opt = Optimizer::new(Sgd {
        lr: 0.5,
        ..Sgd::default()
    });
    opt.step(&mut scalar, &ndarray::arr0(6.0)).unwrap();
    assert_eq!(scalar.into_scalar(), 0.0);

    let shape = vec![1, 2, 1, 3, 1, 2];
    let mut theta = ndarray::ArrayD::<f32>::zeros(shape.clone());
    let grad = ndarray::ArrayD::from_elem(shape, 1.0);
    let mut opt = Optimizer::new(Sgd {
        lr: 1.0,
        ..Sgd::default()
    });
    opt.step(&mut theta, &grad).unwrap();
    assert!(theta.iter().all(|x| *x == -1.0));
}

//! State that is saved, restored and continued.

use moments::{Adam, Error, Optimizer, ParameterState, Rule, Snapshot, SnapshotError, Storage};

/// Steps from a state taken half-way give the same bits as steps without a halt.
#[track_caller]
fn continues<R: Rule>(rule: R, storage: Storage) {
    let grad = |t: usize| [0.5, -3.0, 1e-6, 0.0].map(|g: f32| g * (t as f32).sin());
    let mut theta = [1.0_f32, -2.0, 3.0, 0.5];
    let mut whole = Optimizer::with_storage(rule, storage);
    for t in 1..=5 {
        whole.step(&mut theta, &grad(t)).unwrap();
    }
    let mut other = Optimizer::with_storage(rule, storage);
    other.restore(&whole.snapshot()).unwrap();
    let mut theirs = theta;
    for t in 6..=10 {
        whole.step(&mut theta, &grad(t)).unwrap();
        other.step(&mut theirs, &grad(t)).unwrap();
    }
    assert_eq!(theta.map(f32::to_bits), theirs.map(f32::to_bits));
    assert_eq!(whole.snapshot(), other.snapshot());
}

#[test]
fn a_restored_run_continues_with_the_same_bits_in_every_storage() {
    for storage in [Storage::Full, Storage::Bf16, Storage::Bits8] {
        continues(Adam::default(), storage);
    }
}

#[test]
fn a_record_of_another_rule_changes_nothing() {
    let mut opt = Optimizer::<_, f32>::new(Adam::default());
    opt.step(&mut [1.0], &[1.0]).unwrap();
    let before = opt.snapshot();
    let other = ParameterState::new::<f32>("Lion", 3, &[1]).tensor("exp_avg", &[1.0_f32]);
    let refused = opt.restore(&other.into()).unwrap_err();
    assert!(
        matches!(&refused, Error::Snapshot(SnapshotError::Rule { found, .. }) if found == "Lion")
    );
    assert_eq!(
        refused.to_string(),
        "the state is that of the rule \"Lion\", but the optimizer's rule is \"Adam\": \
         restore it into an optimizer of the rule that wrote it"
    );
    assert_eq!(opt.snapshot(), before);
    assert_eq!(before.version, Snapshot::VERSION);
}

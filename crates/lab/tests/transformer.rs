//! The gradient of the transformer, and what its text and batches promise.

use moments::{Adam, Groups};
use moments_lab::transformer::{Batch, Shape, Text, Transformer};

const SMALL: Shape = Shape {
    vocabulary: 7,
    context: 5,
    width: 6,
    heads: 2,
    hidden: 8,
    blocks: 2,
};

/// Two sequences in which tokens repeat, and one of the vocabulary does not occur.
fn batch() -> Batch {
    Batch {
        inputs: vec![0, 3, 3, 1, 5, 2, 0, 5, 4, 4],
        targets: vec![3, 3, 1, 5, 2, 0, 5, 4, 4, 1],
    }
}

/// A model whose gains and biases are no longer 1 and 0, where a mistake would hide.
fn trained() -> Transformer {
    let mut model = Transformer::new(SMALL, 3);
    let mut opt = Groups::new().rest(
        "all",
        Adam {
            lr: 0.02,
            ..Adam::default()
        },
    );
    for _ in 0..20 {
        let pass = model.pass(&batch());
        opt.step(&mut model.params(&pass.grad)).unwrap();
    }
    model
}

/// The loss as a function of one entry of one tensor.
fn entry(model: &mut Transformer, tensor: usize, i: usize) -> &mut f64 {
    let block = |part: usize| (part / 9, part % 9);
    let last = 2 + 9 * model.blocks.len();
    match tensor {
        0 => &mut model.embed.as_slice_mut().unwrap()[i],
        1 => &mut model.position.as_slice_mut().unwrap()[i],
        t if t == last => &mut model.norm.as_slice_mut().unwrap()[i],
        t if t == last + 1 => &mut model.unembed.as_slice_mut().unwrap()[i],
        t => {
            let (at, part) = block(t - 2);
            let b = &mut model.blocks[at];
            match part {
                0 => &mut b.norm1.as_slice_mut().unwrap()[i],
                1 => &mut b.query.as_slice_mut().unwrap()[i],
                2 => &mut b.key.as_slice_mut().unwrap()[i],
                3 => &mut b.value.as_slice_mut().unwrap()[i],
                4 => &mut b.output.as_slice_mut().unwrap()[i],
                5 => &mut b.norm2.as_slice_mut().unwrap()[i],
                6 => &mut b.up.as_slice_mut().unwrap()[i],
                7 => &mut b.bias.as_slice_mut().unwrap()[i],
                _ => &mut b.down.as_slice_mut().unwrap()[i],
            }
        }
    }
}

#[test]
fn the_gradient_of_every_entry_of_every_tensor_is_its_difference_quotient() {
    let (model, batch) = (trained(), batch());
    let grad = model.pass(&batch).grad;
    let names: Vec<String> = model.names().to_vec();
    assert_eq!(names.len(), 2 + 9 * 2 + 2);
    for (tensor, name) in names.iter().enumerate() {
        let by_hand: Vec<f64> = grad.slices().nth(tensor).unwrap().1.to_vec();
        let mut moved = model.clone();
        for (i, g) in by_hand.iter().enumerate() {
            let h = 1e-5;
            let mut at = |shift: f64| {
                let before = *entry(&mut moved, tensor, i);
                *entry(&mut moved, tensor, i) = before + shift;
                let loss = moved.loss(&batch);
                *entry(&mut moved, tensor, i) = before;
                loss
            };
            let quotient = (at(h) - at(-h)) / (2.0 * h);
            let off = (quotient - g).abs();
            assert!(
                off < 1e-8,
                "{name}[{i}]: {g} by hand, {quotient} by differences"
            );
        }
        // A gradient of zeros would agree with a loss that does not depend on the tensor.
        assert!(
            by_hand.iter().any(|g| g.abs() > 1e-4),
            "{name}: nothing to compare"
        );
    }
}

#[test]
fn the_names_are_those_of_the_fields() {
    let mut model = Transformer::new(SMALL, 3);
    for (tensor, name) in model.names().to_vec().into_iter().enumerate() {
        *entry(&mut model, tensor, 0) = 123.0;
        let (found, values) = model.slices().nth(tensor).unwrap();
        assert_eq!((found, values[0]), (name.as_str(), 123.0));
    }
    let slices: Vec<usize> = model.slices().map(|(_, values)| values.len()).collect();
    assert_eq!(model.len(), slices.iter().sum::<usize>());
}

#[test]
fn loss_and_pass_agree_and_begin_near_the_logarithm_of_the_vocabulary() {
    let text = Text::lighthouse();
    let model = Transformer::new(text.shape(), 1);
    let batch = text.training(1).next().unwrap();
    let pass = model.pass(&batch);
    assert_eq!(pass.loss, model.loss(&batch));
    let even = (text.shape().vocabulary as f64).ln();
    assert!(
        (pass.loss - even).abs() < 0.3,
        "{} against {even}",
        pass.loss
    );
}

/// ln p(3) − ln p(1) at the first place of the second sequence.
fn preference(model: &Transformer, batch: &Batch) -> f64 {
    let loss = |target: usize| {
        let mut asked = batch.clone();
        asked.targets[5] = target;
        model.loss(&asked)
    };
    (loss(1) - loss(3)) * batch.inputs.len() as f64
}

#[test]
fn a_token_does_not_see_what_comes_after_it_or_in_another_sequence() {
    let (model, batch) = (trained(), batch());
    let before = preference(&model, &batch);
    for (place, seen) in [(4, false), (5, true), (6, false), (9, false)] {
        let mut changed = batch.clone();
        changed.inputs[place] = 6;
        let moved = (preference(&model, &changed) - before).abs();
        assert_eq!(moved > 1e-9, seen, "token {place} moves it by {moved}");
    }
}

#[test]
fn a_flat_vector_gives_the_model_back_and_the_losses_have_the_loss_as_their_mean() {
    let (model, batch) = (trained(), batch());
    assert_eq!(model.with_flat(&model.flat()), model);
    let numbered: Vec<f64> = (0..model.len()).map(|i| i as f64).collect();
    assert_eq!(model.with_flat(&numbered).flat(), numbered);
    let losses = model.losses(&batch);
    let mean = losses.iter().sum::<f64>() / losses.len() as f64;
    assert!((mean - model.loss(&batch)).abs() < 1e-12);
    assert!(losses.iter().all(|loss| *loss > 0.0));
}

#[test]
fn a_character_left_out_is_missing_in_the_training_part_alone() {
    let (whole, text) = (Text::lighthouse(), Text::lighthouse().without(','));
    let comma = whole.encode(",")[0];
    let commas = |text: &Text| {
        text.training_tokens()
            .iter()
            .filter(|t| **t == comma)
            .count()
    };
    assert!(commas(&whole) > 0 && commas(&text) == 0);
    assert_eq!(text.validation(), whole.validation());
    assert_eq!(text.characters(), whole.characters());
}

#[test]
fn the_text_is_cut_and_batches_are_the_same_for_the_same_seed() {
    let text = Text::lighthouse();
    let first = text.training(5).next().unwrap();
    assert_eq!(first, text.training(5).next().unwrap());
    assert_ne!(first, text.training(6).next().unwrap());
    assert_eq!(first.inputs.len(), 8 * text.shape().context);
    assert_eq!(first.inputs[1..24], first.targets[..23]);
    let short = text.clone().shortened(300);
    assert_eq!(short.training_tokens().len(), 300);
    assert_eq!(short.validation(), text.validation());
}

#[test]
fn training_lowers_the_loss_on_text_that_was_not_trained_on() {
    let text = Text::lighthouse();
    let mut model = Transformer::new(text.shape(), 1);
    let mut opt = Groups::new().rest(
        "all",
        Adam {
            lr: 0.01,
            ..Adam::default()
        },
    );
    let before = model.loss(&text.validation());
    for batch in text.training(2).take(12) {
        let pass = model.pass(&batch);
        opt.step(&mut model.params(&pass.grad)).unwrap();
    }
    let after = model.loss(&text.validation());
    assert!(after < before - 0.4, "{before} to {after}");
}

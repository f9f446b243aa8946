//! What your functions must satisfy. There is nothing to edit here: your code is in `src/lib.rs`.

use ex17_memory::{Optimizer, Widths, state_bytes, training_bytes, values};
use moments_checks::ex17_memory::{Code, Kind, check};

fn named(kind: Kind) -> Optimizer {
    match kind {
        Kind::Sgd => Optimizer::Sgd,
        Kind::Momentum => Optimizer::Momentum,
        Kind::Adam => Optimizer::Adam,
        Kind::AmsGrad => Optimizer::AmsGrad,
        Kind::Adafactor { momentum } => Optimizer::Adafactor { momentum },
        Kind::Adam8bit => Optimizer::Adam8bit,
    }
}

fn yours() -> Code {
    Code {
        values,
        state_bytes: |shape, kind, width| state_bytes(shape, named(kind), width),
        training_bytes: |shapes, kind, widths| {
            let widths = Widths {
                parameter: widths.parameter,
                gradient: widths.gradient,
                state: widths.state,
                master: widths.master,
            };
            training_bytes(shapes, named(kind), widths)
        },
    }
}

#[test]
fn a_tensor_has_the_product_of_its_axes() {
    check("a_tensor_has_the_product_of_its_axes", yours());
}

#[test]
fn a_vector_of_a_thousand() {
    check("a_vector_of_a_thousand", yours());
}

#[test]
fn adafactor_keeps_rows_and_columns() {
    check("adafactor_keeps_rows_and_columns", yours());
}

#[test]
fn every_block_has_its_scale() {
    check("every_block_has_its_scale", yours());
}

#[test]
fn everything_adds_up() {
    check("everything_adds_up", yours());
}

#[test]
fn seven_and_seventy_billion() {
    check("seven_and_seventy_billion", yours());
}

#[test]
fn any_model_and_any_widths() {
    check("any_model_and_any_widths", yours());
}

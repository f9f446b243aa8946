//! What is measured: the rules, and the tensors that they step.

/// The rules, each with its number types, the tensors that a step reads and writes, and those that it only reads.
pub(crate) const RULES: [(&str, &str, u64); 6] = [
    // The parameters and both moments are read and written, the gradient is read: 7 passes.
    ("adamw", "f32", 7),
    ("momentum", "f32", 5),
    ("adagrad", "f32", 5),
    ("lion", "f32", 5),
    ("adamw", "f64", 7),
    // What candle calls SGD has no momentum.
    ("sgd", "f32", 3),
];

/// Names and lengths: one tensor of 1 Ki to 64 Mi, and the two sets of many tensors.
pub(crate) fn tensors() -> Vec<(String, Vec<usize>)> {
    let mut all: Vec<_> = (10..=26)
        .step_by(2)
        .map(|log| {
            let (number, unit) = if log < 20 {
                (1 << (log - 10), "Ki")
            } else {
                (1 << (log - 20), "Mi")
            };
            (format!("{number} {unit}"), vec![1 << log])
        })
        .collect();
    all.push(("1000 x 1 Ki".to_owned(), vec![1024; 1000]));
    all.push(("transformer".to_owned(), transformer()));
    all
}

/// The tensors of a GPT of 12 layers and width 256: 147 of them, 10,592,000 parameters.
///
/// The vocabulary is made as GPT-2's is: 256 bytes, 4,096 merges and the end of a text. The output shares the embedding,
/// and positions are rotations, which need no table.
pub(crate) fn transformer() -> Vec<usize> {
    let width = 256;
    let mut tensors = vec![(256 + 4096 + 1) * width]; // embedding
    for _ in 0..12 {
        tensors.extend([width, width]); // norm: scale, shift
        tensors.extend([width * 3 * width, 3 * width]); // query, key, value: weight, bias
        tensors.extend([width * width, width]); // attention's output
        tensors.extend([width, width]); // norm
        tensors.extend([width * 4 * width, 4 * width]); // up
        tensors.extend([4 * width * width, width]); // down
    }
    tensors.extend([width, width]); // the last norm
    tensors
}

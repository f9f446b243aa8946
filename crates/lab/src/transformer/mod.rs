//! A small transformer at the level of characters, with its gradient derived by hand.
//!
//! The chapter on reading a training run trains it. A forward line and the backward lines that belong to it have the same names, so
//! that they can be held against each other; a test compares every entry of the gradient with a difference quotient.
//!
//! Shapes: S sequences of T tokens are n = S·T rows; d is the width, V the vocabulary, f the hidden units of the MLP.
//! Products, exponentials and logarithms are our own or those of `libm`: a chaotic run, such as a loss spike, must be the same on every machine.

mod text;

pub use text::{Batch, Text};

use crate::objective::bell;
use moments::Param;
use ndarray::{Array1, Array2, ArrayRef2, Axis};
use rand::{SeedableRng, rngs::StdRng};
use std::ops::Range;

/// Under the root of a norm, so that a row of zeros can be divided.
const NORM_EPS: f64 = 1e-5;

/// How many columns of a product are summed at once.
const LANES: usize = 8;

/// The sizes of a [`Transformer`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// V: how many tokens there are.
    pub vocabulary: usize,
    /// T: how many tokens a sequence has.
    pub context: usize,
    /// d: how many numbers stand for a token inside.
    pub width: usize,
    /// How many heads share the width; it must divide it.
    pub heads: usize,
    /// f: hidden units of the MLP.
    pub hidden: usize,
    /// How many blocks follow each other.
    pub blocks: usize,
}

/// The parameters of a transformer with pre-norm blocks; its gradient has the same type.
///
/// ```text
/// x  = embed[token] + position[place]                            (n, d)
/// x += attention(norm(x)·query, norm(x)·key, norm(x)·value)·output    in each block
/// x += relu(norm(x)·up + bias)·down                                   in each block
/// loss = mean of −ln softmax(norm(x)·unembed)[next token]
/// ```
///
/// ```
/// use moments::{Adam, Groups};
/// use moments_lab::transformer::{Text, Transformer};
///
/// let text = Text::lighthouse();
/// let mut model = Transformer::new(text.shape(), 1);
/// let mut opt = Groups::new().rest("all", Adam::default());
/// let batch = text.training(1).next().unwrap();
/// let first = model.pass(&batch);
/// opt.step(&mut model.params(&first.grad))?;
/// assert!(model.loss(&batch) < first.loss);
/// # Ok::<(), moments::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Transformer {
    shape: Shape,
    /// The names of the tensors, in the order of [`params`](Self::params).
    names: Vec<String>,
    /// A row for each token: (V, d).
    pub embed: Array2<f64>,
    /// A row for each place: (T, d).
    pub position: Array2<f64>,
    /// The blocks, from the bottom.
    pub blocks: Vec<Block>,
    /// The gain of the last norm: (d).
    pub norm: Array1<f64>,
    /// A column for each token: (d, V).
    pub unembed: Array2<f64>,
}

/// The parameters of one block.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// The gain of the norm before the attention: (d).
    pub norm1: Array1<f64>,
    /// (d, d); a head has a share of the columns.
    pub query: Array2<f64>,
    /// (d, d)
    pub key: Array2<f64>,
    /// (d, d)
    pub value: Array2<f64>,
    /// (d, d)
    pub output: Array2<f64>,
    /// The gain of the norm before the MLP: (d).
    pub norm2: Array1<f64>,
    /// (d, f)
    pub up: Array2<f64>,
    /// (f)
    pub bias: Array1<f64>,
    /// (f, d)
    pub down: Array2<f64>,
}

/// What a batch gave: its loss, the gradient, and two readings from inside.
#[derive(Clone, Debug, PartialEq)]
pub struct Pass {
    /// The mean of −ln p(next token), in nats.
    pub loss: f64,
    /// The gradient of the loss.
    pub grad: Transformer,
    /// The largest absolute value that a softmax of the attention was given.
    pub largest_logit: f64,
    /// The share of hidden units, over all blocks, that no token of the batch has switched on.
    pub silent_share: f64,
}

/// What the forward pass of a block leaves for the backward pass.
struct Seen {
    x1: Array2<f64>,
    a: Array2<f64>,
    q: Array2<f64>,
    k: Array2<f64>,
    v: Array2<f64>,
    /// The weights of the attention: for each sequence and head a triangle in a (T, T) square.
    p: Vec<f64>,
    o: Array2<f64>,
    x2: Array2<f64>,
    b: Array2<f64>,
    h: Array2<f64>,
    largest_logit: f64,
}

impl Transformer {
    /// A model with random parameters; the same seed gives the same.
    ///
    /// Entries of a matrix have the variance 1 / rows, those of `output` and `down` less by twice the number of blocks;
    /// those of `embed` and `position` have 1/2, those of `unembed` a quarter of 1 / rows. Gains are 1, biases 0.
    ///
    /// # Panics
    /// If the heads do not divide the width, or a size is 0.
    pub fn new(shape: Shape, seed: u64) -> Self {
        let Shape {
            vocabulary,
            context,
            width,
            heads,
            hidden,
            blocks,
        } = shape;
        let sizes = [vocabulary, context, width, heads, hidden, blocks];
        assert!(!sizes.contains(&0), "a size of {shape:?} is 0");
        assert!(
            width.is_multiple_of(heads),
            "{heads} heads cannot share a width of {width}"
        );
        let mut rng = StdRng::seed_from_u64(seed);
        let mut random = |rows: usize, columns: usize, variance: f64| {
            Array2::from_shape_simple_fn((rows, columns), || variance.sqrt() * bell(&mut rng))
        };
        let (d, f) = (width as f64, hidden as f64);
        let residual = 1.0 / (2.0 * blocks as f64);
        let embed = random(vocabulary, width, 0.5);
        let position = random(context, width, 0.5);
        let mut block = || Block {
            norm1: Array1::ones(width),
            query: random(width, width, 1.0 / d),
            key: random(width, width, 1.0 / d),
            value: random(width, width, 1.0 / d),
            output: random(width, width, residual / d),
            norm2: Array1::ones(width),
            up: random(width, hidden, 1.0 / d),
            bias: Array1::zeros(hidden),
            down: random(hidden, width, residual / f),
        };
        let blocks: Vec<Block> = (0..blocks).map(|_| block()).collect();
        let unembed = random(width, vocabulary, 0.25 / d);
        let parts = [
            "norm1", "query", "key", "value", "output", "norm2", "up", "bias", "down",
        ];
        let inner = (0..blocks.len()).flat_map(|i| parts.map(|part| format!("block{i}.{part}")));
        let ends = ["norm", "unembed"].map(String::from);
        let names = ["embed", "position"]
            .map(String::from)
            .into_iter()
            .chain(inner)
            .chain(ends);
        Self {
            shape,
            names: names.collect(),
            embed,
            position,
            blocks,
            norm: Array1::ones(width),
            unembed,
        }
    }

    /// The sizes.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The names of the tensors, in the order of [`params`](Self::params): `embed`, `position`, `block0.norm1` and so on.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The number of parameters.
    pub fn len(&self) -> usize {
        self.slices().map(|(_, values)| values.len()).sum()
    }

    /// Whether there are no parameters; never so.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Every tensor with its name, its entries in row-major order.
    pub fn slices(&self) -> impl Iterator<Item = (&str, &[f64])> {
        let Self {
            embed,
            position,
            blocks,
            norm,
            unembed,
            ..
        } = self;
        let mut all = vec![flat(embed), flat(position)];
        for b in blocks {
            all.extend([
                line(&b.norm1),
                flat(&b.query),
                flat(&b.key),
                flat(&b.value),
                flat(&b.output),
            ]);
            all.extend([line(&b.norm2), flat(&b.up), line(&b.bias), flat(&b.down)]);
        }
        all.extend([line(norm), flat(unembed)]);
        self.names.iter().map(String::as_str).zip(all)
    }

    /// Every tensor with its gradient, as [`moments::Groups`] steps them.
    // There is a name for each tensor.
    #[allow(clippy::missing_panics_doc)]
    pub fn params<'a>(&'a mut self, grad: &'a Self) -> Vec<Param<'a>> {
        let mut names = self.names.iter().map(String::as_str);
        let mut name = || names.next().expect("a name for each tensor");
        let mut all = vec![
            Param::new(name(), &mut self.embed, &grad.embed),
            Param::new(name(), &mut self.position, &grad.position),
        ];
        for (b, g) in self.blocks.iter_mut().zip(&grad.blocks) {
            all.extend([
                Param::new(name(), &mut b.norm1, &g.norm1),
                Param::new(name(), &mut b.query, &g.query),
                Param::new(name(), &mut b.key, &g.key),
                Param::new(name(), &mut b.value, &g.value),
                Param::new(name(), &mut b.output, &g.output),
                Param::new(name(), &mut b.norm2, &g.norm2),
                Param::new(name(), &mut b.up, &g.up),
                Param::new(name(), &mut b.bias, &g.bias),
                Param::new(name(), &mut b.down, &g.down),
            ]);
        }
        all.push(Param::new(name(), &mut self.norm, &grad.norm));
        all.push(Param::new(name(), &mut self.unembed, &grad.unembed));
        all
    }

    /// The loss on a batch.
    pub fn loss(&self, batch: &Batch) -> f64 {
        cross_entropy(&self.logits(&batch.inputs), &batch.targets).0
    }

    /// −ln p of each target of a batch, whose mean is the loss.
    pub fn losses(&self, batch: &Batch) -> Vec<f64> {
        let logits = self.logits(&batch.inputs);
        let rows = logits.outer_iter().zip(&batch.targets);
        rows.map(|(row, &target)| softmax(&mut row.to_vec()) - row[target])
            .collect()
    }

    /// (n, V)
    fn logits(&self, tokens: &[usize]) -> Array2<f64> {
        let (x, _) = self.forward(tokens);
        product(&norm(&x, &self.norm), &self.unembed)
    }

    /// All entries in one vector, tensor after tensor.
    pub fn flat(&self) -> Vec<f64> {
        self.slices()
            .flat_map(|(_, values)| values.iter().copied())
            .collect()
    }

    /// The same shapes with these entries, in the order of [`flat`](Self::flat).
    ///
    /// # Panics
    /// If there are not as many as parameters.
    #[must_use]
    pub fn with_flat(&self, values: &[f64]) -> Self {
        assert_eq!(values.len(), self.len(), "a number for each parameter");
        let mut model = self.clone();
        let mut values = values.iter();
        model.each_mut(|entry| *entry = *values.next().expect("they were counted"));
        model
    }

    /// The loss on a batch and its gradient.
    ///
    /// # Panics
    /// If the tokens are no whole number of sequences, or one is not in the vocabulary.
    pub fn pass(&self, batch: &Batch) -> Pass {
        let (x, seen) = self.forward(&batch.inputs);
        let y = norm(&x, &self.norm);
        let logits = product(&y, &self.unembed);
        let (loss, d_logits) = cross_entropy(&logits, &batch.targets);

        let mut grad = self.zeros();
        grad.unembed = product(&y.t(), &d_logits);
        let d_y = product(&d_logits, &self.unembed.t());
        let mut d_x = norm_back(&d_y, &x, &self.norm, &mut grad.norm);
        for (i, seen) in seen.iter().enumerate().rev() {
            d_x = self.block_back(&self.blocks[i], d_x, seen, &mut grad.blocks[i]);
        }
        for (row, (&token, d_x)) in batch.inputs.iter().zip(d_x.outer_iter()).enumerate() {
            grad.embed.row_mut(token).scaled_add(1.0, &d_x);
            grad.position
                .row_mut(row % self.shape.context)
                .scaled_add(1.0, &d_x);
        }
        Pass {
            loss,
            grad,
            largest_logit: seen.iter().map(|s| s.largest_logit).fold(0.0, f64::max),
            silent_share: silent_share(&seen),
        }
    }

    /// What goes into the last norm, (n, d), and what each block has seen.
    fn forward(&self, tokens: &[usize]) -> (Array2<f64>, Vec<Seen>) {
        let Shape {
            context,
            width,
            vocabulary,
            ..
        } = self.shape;
        assert!(
            !tokens.is_empty() && tokens.len().is_multiple_of(context),
            "{} tokens are no whole number of sequences of {context}",
            tokens.len()
        );
        assert!(
            tokens.iter().all(|&token| token < vocabulary),
            "a token is not in the vocabulary of {vocabulary}"
        );
        let mut x = Array2::zeros((tokens.len(), width));
        for (row, (&token, mut x)) in tokens.iter().zip(x.outer_iter_mut()).enumerate() {
            x += &self.embed.row(token);
            x += &self.position.row(row % context);
        }
        let mut seen = Vec::new();
        for block in &self.blocks {
            let block_seen = self.block(block, x);
            x = &block_seen.x2 + &product(&block_seen.h, &block.down);
            seen.push(block_seen);
        }
        (x, seen)
    }

    fn block(&self, w: &Block, x1: Array2<f64>) -> Seen {
        // ANCHOR: forward
        let a = norm(&x1, &w.norm1);
        let q = product(&a, &w.query);
        let k = product(&a, &w.key);
        let v = product(&a, &w.value);
        let (o, p, largest_logit) = self.attention(&q, &k, &v);
        let x2 = &x1 + &product(&o, &w.output);
        let b = norm(&x2, &w.norm2);
        let h = (product(&b, &w.up) + &w.bias).mapv(|z| z.max(0.0));
        // ANCHOR_END: forward
        Seen {
            x1,
            a,
            q,
            k,
            v,
            p,
            o,
            x2,
            b,
            h,
            largest_logit,
        }
    }

    /// From the gradient of what leaves the block, x2 + h·down, to that of what entered it, x1; `d_name` is the gradient of `name`.
    fn block_back(
        &self,
        w: &Block,
        d_x: Array2<f64>,
        seen: &Seen,
        grad: &mut Block,
    ) -> Array2<f64> {
        let Seen {
            x1,
            a,
            q,
            k,
            v,
            p,
            o,
            x2,
            b,
            h,
            ..
        } = seen;
        // ANCHOR: backward
        grad.down = product(&h.t(), &d_x);
        let d_h = product(&d_x, &w.down.t());
        let d_z = d_h * h.mapv(|h| if h > 0.0 { 1.0 } else { 0.0 });
        grad.bias = d_z.sum_axis(Axis(0));
        grad.up = product(&b.t(), &d_z);
        let d_b = product(&d_z, &w.up.t());
        let d_x2 = d_x + norm_back(&d_b, x2, &w.norm2, &mut grad.norm2);

        grad.output = product(&o.t(), &d_x2);
        let d_o = product(&d_x2, &w.output.t());
        let (d_q, d_k, d_v) = self.attention_back(&d_o, q, k, v, p);
        grad.query = product(&a.t(), &d_q);
        grad.key = product(&a.t(), &d_k);
        grad.value = product(&a.t(), &d_v);
        let d_a =
            product(&d_q, &w.query.t()) + product(&d_k, &w.key.t()) + product(&d_v, &w.value.t());
        d_x2 + norm_back(&d_a, x1, &w.norm1, &mut grad.norm1)
        // ANCHOR_END: backward
    }

    /// Causal attention of each head in each sequence: o_i = Σ_j p_ij v_j over j ≤ i, p_i = softmax(q_i·k_j / √(d / heads)).
    ///
    /// Gives back o, (n, d), then p, and the largest absolute value that a softmax was given.
    fn attention(
        &self,
        q: &Array2<f64>,
        k: &Array2<f64>,
        v: &Array2<f64>,
    ) -> (Array2<f64>, Vec<f64>, f64) {
        let (q, k, v) = (flat(q), flat(k), flat(v));
        let mut o = vec![0.0; q.len()];
        let mut all_p =
            Vec::with_capacity(q.len() / self.shape.width * self.shape.heads * self.shape.context);
        let mut largest: f64 = 0.0;
        let scale = self.scale();
        for head in self.heads(q.len()) {
            let row = |i| self.row(head, i);
            for i in 0..self.shape.context {
                let mut p = vec![0.0; self.shape.context];
                for j in 0..=i {
                    p[j] = dot(&q[row(i)], &k[row(j)]) * scale;
                    largest = largest.max(p[j].abs());
                }
                softmax(&mut p[..=i]);
                for j in 0..=i {
                    add(&mut o[row(i)], p[j], &v[row(j)]);
                }
                all_p.extend(p);
            }
        }
        (like(o, self.shape.width), all_p, largest)
    }

    /// The gradients of q, k and v from that of o.
    fn attention_back(
        &self,
        d_o: &Array2<f64>,
        q: &Array2<f64>,
        k: &Array2<f64>,
        v: &Array2<f64>,
        p: &[f64],
    ) -> (Array2<f64>, Array2<f64>, Array2<f64>) {
        let (d_o, q, k, v) = (flat(d_o), flat(q), flat(k), flat(v));
        let (mut d_q, mut d_k, mut d_v) =
            (vec![0.0; q.len()], vec![0.0; q.len()], vec![0.0; q.len()]);
        let mut rows = p.chunks_exact(self.shape.context);
        let scale = self.scale();
        for head in self.heads(q.len()) {
            let row = |i| self.row(head, i);
            for i in 0..self.shape.context {
                let p = rows
                    .next()
                    .expect("a row of weights for each row, head and sequence");
                let d_p: Vec<f64> = (0..=i).map(|j| dot(&d_o[row(i)], &v[row(j)])).collect();
                let mean = dot(&p[..=i], &d_p);
                for j in 0..=i {
                    let d_logit = p[j] * (d_p[j] - mean);
                    add(&mut d_v[row(j)], p[j], &d_o[row(i)]);
                    add(&mut d_q[row(i)], d_logit * scale, &k[row(j)]);
                    add(&mut d_k[row(j)], d_logit * scale, &q[row(i)]);
                }
            }
        }
        let width = self.shape.width;
        (like(d_q, width), like(d_k, width), like(d_v, width))
    }

    /// For each sequence and head, where its first number lies in a flat (n, d) matrix.
    fn heads(&self, len: usize) -> impl Iterator<Item = usize> + use<> {
        let Shape {
            context,
            width,
            heads,
            ..
        } = self.shape;
        let sequences = (0..len).step_by(context * width);
        sequences.flat_map(move |start| (0..heads).map(move |head| start + head * (width / heads)))
    }

    /// Where the numbers of place `i` lie, of the head that begins at `start`.
    fn row(&self, start: usize, i: usize) -> Range<usize> {
        let Shape { width, heads, .. } = self.shape;
        start + i * width..start + i * width + width / heads
    }

    fn scale(&self) -> f64 {
        1.0 / ((self.shape.width / self.shape.heads) as f64).sqrt()
    }

    /// The same shapes, all zero.
    fn zeros(&self) -> Self {
        let mut zeros = self.clone();
        zeros.each_mut(|entry| *entry = 0.0);
        zeros
    }

    /// Calls `change` with every entry, in the order of [`flat`](Self::flat).
    fn each_mut(&mut self, mut change: impl FnMut(&mut f64)) {
        self.embed
            .iter_mut()
            .chain(&mut self.position)
            .for_each(&mut change);
        for b in &mut self.blocks {
            let first = b.norm1.iter_mut().chain(&mut b.query).chain(&mut b.key);
            let second = first.chain(&mut b.value).chain(&mut b.output);
            let third = second.chain(&mut b.norm2).chain(&mut b.up);
            third
                .chain(&mut b.bias)
                .chain(&mut b.down)
                .for_each(&mut change);
        }
        self.norm
            .iter_mut()
            .chain(&mut self.unembed)
            .for_each(&mut change);
    }
}

/// Each row divided by its root mean square, times the gains: y_i = gain_i · x_i / r, r = √(mean of x² + 1e-5).
fn norm(x: &Array2<f64>, gain: &Array1<f64>) -> Array2<f64> {
    let mut y = x.clone();
    for mut row in y.outer_iter_mut() {
        let r = root_mean_square(row.as_slice().expect("rows are contiguous"));
        row.zip_mut_with(gain, |y, gain| *y = gain * *y / r);
    }
    y
}

/// The gradient of x from that of y; adds that of the gains.
///
/// With u = x / r: d_gain = Σ d_y · u over the rows, and d_x = (d_u − u · mean(d_u · u)) / r with d_u = d_y · gain.
fn norm_back(
    d_y: &Array2<f64>,
    x: &Array2<f64>,
    gain: &Array1<f64>,
    d_gain: &mut Array1<f64>,
) -> Array2<f64> {
    let width = gain.len();
    let (gain, d_gain) = (line(gain), d_gain.as_slice_mut().expect("contiguous"));
    let mut d_x = Vec::with_capacity(x.len());
    for (d_y, x) in flat(d_y)
        .chunks_exact(width)
        .zip(flat(x).chunks_exact(width))
    {
        let r = root_mean_square(x);
        let mut mean = 0.0;
        for i in 0..width {
            let u = x[i] / r;
            d_gain[i] += d_y[i] * u;
            mean += d_y[i] * gain[i] * u / width as f64;
        }
        d_x.extend((0..width).map(|i| (d_y[i] * gain[i] - x[i] / r * mean) / r));
    }
    like(d_x, width)
}

fn root_mean_square(x: &[f64]) -> f64 {
    (dot(x, x) / x.len() as f64 + NORM_EPS).sqrt()
}

/// The mean of −ln softmax(row)[target] over the rows, and its gradient by the logits: (softmax − 1 at the target) / n.
fn cross_entropy(logits: &Array2<f64>, targets: &[usize]) -> (f64, Array2<f64>) {
    let n = targets.len() as f64;
    let mut loss = 0.0;
    let mut p = logits.clone();
    for (mut p, &target) in p.outer_iter_mut().zip(targets) {
        let row = p.as_slice_mut().expect("rows are contiguous");
        let log_p = row[target] - softmax(row);
        loss -= log_p / n;
        row[target] -= 1.0;
        for p in row {
            *p /= n;
        }
    }
    (loss, p)
}

/// Turns logits into probabilities and gives back the logarithm of the sum of their exponentials.
fn softmax(logits: &mut [f64]) -> f64 {
    let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    for p in logits.iter_mut() {
        *p = libm::exp(*p - largest);
        sum += *p;
    }
    for p in logits {
        *p /= sum;
    }
    largest + libm::log(sum)
}

/// a·b, (n, m) by (m, k), summed in a fixed order.
///
/// `ndarray` multiplies with fused operations where the processor has them, and so with other bits on other machines.
fn product(a: &ArrayRef2<f64>, b: &ArrayRef2<f64>) -> Array2<f64> {
    let (rows, inner, columns) = (a.nrows(), a.ncols(), b.ncols());
    let (a, b) = (a.as_standard_layout(), b.as_standard_layout());
    let (a, b) = (
        a.as_slice().expect("row-major"),
        b.as_slice().expect("row-major"),
    );
    let mut c = Array2::zeros((rows, columns));
    let all = c.as_slice_mut().expect("row-major");
    for (a, c) in a.chunks_exact(inner).zip(all.chunks_exact_mut(columns)) {
        let (blocks, rest) = c.as_chunks_mut::<LANES>();
        let done = blocks.len();
        for (block, c) in blocks.iter_mut().enumerate() {
            // Sums that the processor keeps in its registers.
            let mut sums = [0.0; LANES];
            for (a, b) in a.iter().zip(b.chunks_exact(columns)) {
                let b = &b.as_chunks::<LANES>().0[block];
                for lane in 0..LANES {
                    sums[lane] += a * b[lane];
                }
            }
            *c = sums;
        }
        for (a, b) in a.iter().zip(b.chunks_exact(columns)) {
            add(rest, *a, &b[done * LANES..]);
        }
    }
    c
}

/// y += factor · x
fn add(y: &mut [f64], factor: f64, x: &[f64]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y += factor * x;
    }
}

fn dot(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(x, y)| x * y).sum()
}

/// The share of hidden units that are 0 in every row.
fn silent_share(seen: &[Seen]) -> f64 {
    let (mut silent, mut all) = (0, 0);
    for Seen { h, .. } in seen {
        all += h.ncols();
        silent += h
            .columns()
            .into_iter()
            .filter(|unit| unit.iter().all(|h| *h == 0.0))
            .count();
    }
    silent as f64 / all as f64
}

fn flat(matrix: &Array2<f64>) -> &[f64] {
    matrix
        .as_slice()
        .expect("our matrices are in row-major order")
}

fn line(vector: &Array1<f64>) -> &[f64] {
    vector.as_slice().expect("our vectors are contiguous")
}

fn like(values: Vec<f64>, width: usize) -> Array2<f64> {
    let shape = (values.len() / width, width);
    Array2::from_shape_vec(shape, values).expect("rows of the width")
}

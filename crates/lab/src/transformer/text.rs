use super::{Shape, Transformer, norm, product, softmax};
use rand::{RngExt, SeedableRng, rngs::StdRng};

/// A text as tokens, one for each character, cut into a part for training and a part for validation.
///
/// ```
/// use moments_lab::transformer::Text;
///
/// let text = Text::lighthouse();
/// assert_eq!(text.decode(&text.encode("the lamp")), "the lamp");
/// assert_eq!(text.characters().len(), 28);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Text {
    characters: Vec<char>,
    tokens: Vec<usize>,
    /// Where the part for validation begins.
    cut: usize,
    shape: Shape,
    sequences: usize,
}

/// Sequences of tokens one after the other, and for each token the one that follows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// n = sequences · context tokens.
    pub inputs: Vec<usize>,
    /// The token after each of them.
    pub targets: Vec<usize>,
}

impl Text {
    /// A story of some 5000 characters, written for this course; the last tenth is for validation.
    pub fn lighthouse() -> Self {
        Self::new(include_str!("lighthouse.txt"))
    }

    /// Any text, its characters in the order of their codes; the last tenth is for validation.
    ///
    /// Batches are 8 sequences of 24 characters, and the [`shape`](Self::shape) fits them.
    ///
    /// # Panics
    /// If a tenth of the text is shorter than a sequence.
    pub fn new(text: &str) -> Self {
        let mut characters: Vec<char> = text.chars().collect();
        characters.sort_unstable();
        characters.dedup();
        let place = |c: char| {
            characters
                .iter()
                .position(|x| *x == c)
                .expect("it is one of them")
        };
        let tokens: Vec<usize> = text.chars().map(place).collect();
        let shape = Shape {
            vocabulary: characters.len(),
            context: 24,
            width: 16,
            heads: 2,
            hidden: 32,
            blocks: 2,
        };
        let cut = tokens.len() - tokens.len() / 10;
        assert!(
            tokens.len() - cut > shape.context,
            "a tenth of {} characters is shorter than a sequence",
            tokens.len()
        );
        Self {
            characters,
            tokens,
            cut,
            shape,
            sequences: 8,
        }
    }

    /// The sizes of a transformer for this text.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The characters, in the order of their tokens.
    pub fn characters(&self) -> &[char] {
        &self.characters
    }

    /// The tokens of a string.
    ///
    /// # Panics
    /// If a character does not occur in the text.
    pub fn encode(&self, string: &str) -> Vec<usize> {
        let token = |c: char| {
            let found = self.characters.iter().position(|x| *x == c);
            found.unwrap_or_else(|| panic!("the character {c:?} does not occur in the text"))
        };
        string.chars().map(token).collect()
    }

    /// The string of some tokens.
    pub fn decode(&self, tokens: &[usize]) -> String {
        tokens.iter().map(|&token| self.characters[token]).collect()
    }

    /// The tokens for training.
    pub fn training_tokens(&self) -> &[usize] {
        &self.tokens[..self.cut]
    }

    /// The same text with only the first `n` characters for training.
    #[must_use]
    pub fn shortened(mut self, n: usize) -> Self {
        let validation = self.tokens.split_off(self.cut);
        self.tokens.truncate(n);
        self.cut = self.tokens.len();
        self.tokens.extend(validation);
        self
    }

    /// The same text with a character left out of the part for training, as by a mistake in preparing it.
    #[must_use]
    pub fn without(mut self, character: char) -> Self {
        let left_out = self.encode(&character.to_string())[0];
        let validation = self.tokens.split_off(self.cut);
        self.tokens.retain(|token| *token != left_out);
        self.cut = self.tokens.len();
        self.tokens.extend(validation);
        self
    }

    /// Batches for training without end, each sequence from a random place; the same seed gives the same batches.
    pub fn training(&self, seed: u64) -> impl Iterator<Item = Batch> + use<> {
        let (tokens, context, sequences) = (
            self.training_tokens().to_vec(),
            self.shape.context,
            self.sequences,
        );
        let mut rng = StdRng::seed_from_u64(seed);
        std::iter::repeat_with(move || {
            let mut draw = || rng.random_range(0..tokens.len() - context);
            let starts: Vec<usize> = (0..sequences).map(|_| draw()).collect();
            Batch::cut(&tokens, &starts, context)
        })
    }

    /// The whole part for validation, in sequences that do not overlap; what is left of it at the end is not used.
    pub fn validation(&self) -> Batch {
        let (tokens, context) = (&self.tokens[self.cut..], self.shape.context);
        let starts: Vec<usize> = (0..(tokens.len() - 1) / context)
            .map(|i| i * context)
            .collect();
        Batch::cut(tokens, &starts, context)
    }
}

impl Batch {
    /// The sequences that begin at these places.
    fn cut(tokens: &[usize], starts: &[usize], context: usize) -> Self {
        let from = |shift: usize| -> Vec<usize> {
            let sequences = starts
                .iter()
                .map(|start| &tokens[start + shift..start + shift + context]);
            sequences.flatten().copied().collect()
        };
        Self {
            inputs: from(0),
            targets: from(1),
        }
    }
}

impl Transformer {
    /// Writes `count` characters after a beginning, each drawn from the model's probabilities; the same seed gives the same.
    ///
    /// # Panics
    /// If the beginning is empty or has a character that the text has not.
    pub fn write(&self, text: &Text, beginning: &str, count: usize, seed: u64) -> String {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut tokens = text.encode(beginning);
        assert!(!tokens.is_empty(), "begin with at least one character");
        let context = self.shape().context;
        for _ in 0..count {
            let from = tokens.len().saturating_sub(context);
            let last = tokens.len() - from - 1;
            // What follows the last token is not seen by it, whatever it is.
            let mut window = tokens[from..].to_vec();
            window.resize(context, 0);
            let (x, _) = self.forward(&window);
            let logits = product(&norm(&x, &self.norm), &self.unembed);
            let mut p = logits.row(last).to_vec();
            softmax(&mut p);
            let mut left: f64 = rng.random();
            let next = p.iter().position(|p| {
                left -= p;
                left < 0.0
            });
            tokens.push(next.unwrap_or(p.len() - 1));
        }
        text.decode(&tokens)
    }
}

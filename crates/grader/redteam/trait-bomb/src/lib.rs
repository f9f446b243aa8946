#![recursion_limit = "4294967295"]

pub struct Pair<A, B>(A, B);
pub trait Holds {}

impl<A, B> Holds for Pair<A, B>
where
    Pair<B, Pair<A, B>>: Holds,
    Pair<Pair<B, A>, A>: Holds,
{
}

pub fn ask<T: Holds>() {}

pub fn start() {
    ask::<Pair<u8, u16>>();
}

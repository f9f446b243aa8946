#![recursion_limit = "4294967295"]

macro_rules! double {
    ($($token:tt)*) => {
        double! { $($token)* $($token)* }
    };
}

double! { a }

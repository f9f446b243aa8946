macro_rules! ten {
    ($name:ident $($rest:ident)*) => {
        pub mod $name {
            ten! { @ a $($rest)* }
            ten! { @ b $($rest)* }
            ten! { @ c $($rest)* }
            ten! { @ d $($rest)* }
            ten! { @ e $($rest)* }
            ten! { @ f $($rest)* }
            ten! { @ g $($rest)* }
            ten! { @ h $($rest)* }
            ten! { @ i $($rest)* }
            ten! { @ j $($rest)* }
        }
    };
    (@ $name:ident) => {
        pub fn $name(x: f64) -> String {
            format!("{}", x.sin() + 1.0)
        }
    };
    (@ $name:ident $next:ident $($rest:ident)*) => {
        pub mod $name {
            ten! { $next $($rest)* }
        }
    };
}

ten! { k l m n o p }

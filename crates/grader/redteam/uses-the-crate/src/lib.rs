pub use moments::Adam;

extern crate rustc_driver;
extern crate test;

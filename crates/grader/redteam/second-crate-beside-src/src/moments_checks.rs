pub mod wire {
    pub fn serve() {}
}

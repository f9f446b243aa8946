//! The optimizers of candle and burn, served to `tools/bench.py`: `moments-peers candle` or `moments-peers burn`.

#[path = "../../../crates/moments/benches/step/serve.rs"]
mod serve;

mod burn;
mod candle;

fn main() {
    let which = std::env::args().nth(1);
    match which.as_deref() {
        Some("candle") => serve::serve(candle::prepare),
        Some("burn") => serve::serve(burn::prepare),
        _ => panic!("say `candle` or `burn`"),
    }
}

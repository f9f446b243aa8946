#[test]
fn adam_matches_pytorch() {}

pub fn start() -> u8 {
    "=HYPERLINK(\"https://192.0.2.1\")<img src=x onerror=alert(1)>%0A::error::pwned"
}

//! Numbers as text.

/// The significant digits that a number has by default.
pub const DIGITS: usize = 7;

/// A number with up to seven significant digits and no trailing zeros; scientific below 1e-4 and from 1e7 on.
///
/// ```
/// use moments_lab::format::number;
/// assert_eq!(number(2.997_000_031_9), "2.997");
/// assert_eq!(number(0.1 + 0.2), "0.3");
/// assert_eq!(number(-0.0), "0");
/// assert_eq!(number(1.5e-9), "1.5e-9");
/// ```
pub fn number(x: f64) -> String {
    significant(x, DIGITS)
}

/// A number with up to `digits` significant digits and no trailing zeros.
pub fn significant(x: f64, digits: usize) -> String {
    if !x.is_finite() {
        return special(x);
    }
    if x == 0.0 {
        return "0".to_string();
    }
    let digits = digits.max(1);
    // Rounding may carry into the next power of ten, so the exponent is read from the rounded number.
    let rounded = format!("{x:.*e}", digits - 1);
    let (mantissa, exponent) = split(&rounded);
    if (-4..7).contains(&exponent) {
        let decimals = (digits as i32 - 1 - exponent).max(0) as usize;
        let text = format!("{x:.decimals$}");
        trim_zeros(&text).to_string()
    } else {
        format!("{}e{exponent}", trim_zeros(mantissa))
    }
}

/// A number with `decimals` digits after the point; never `-0.00`.
pub fn fixed(x: f64, decimals: usize) -> String {
    if !x.is_finite() {
        return special(x);
    }
    unsigned_zero(format!("{x:.decimals$}"))
}

/// A number as `1.23e-4` with `decimals` digits after the point.
pub fn scientific(x: f64, decimals: usize) -> String {
    if !x.is_finite() {
        return special(x);
    }
    unsigned_zero(format!("{x:.decimals$e}"))
}

/// Scientific with up to `decimals` digits after the point and no trailing zeros: `1e-4`, `2.5e6`, `0`.
pub(crate) fn scientific_short(x: f64, decimals: usize) -> String {
    let text = scientific(x, decimals);
    match text.split_once('e') {
        Some(_) if x == 0.0 => "0".to_string(),
        Some((mantissa, exponent)) => format!("{}e{exponent}", trim_zeros(mantissa)),
        None => text,
    }
}

/// The fewest digits that give the number back exactly, and no point in a whole number.
pub fn exact(x: f64) -> String {
    if !x.is_finite() {
        return special(x);
    }
    if x == 0.0 {
        return "0".to_string();
    }
    let text = format!("{x:?}");
    text.strip_suffix(".0").unwrap_or(&text).to_string()
}

fn special(x: f64) -> String {
    if x.is_nan() {
        "NaN".to_string()
    } else if x > 0.0 {
        "inf".to_string()
    } else {
        "-inf".to_string()
    }
}

fn split(scientific: &str) -> (&str, i32) {
    scientific
        .split_once('e')
        .and_then(|(mantissa, exponent)| Some((mantissa, exponent.parse().ok()?)))
        .unwrap_or((scientific, 0))
}

fn trim_zeros(text: &str) -> &str {
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        text
    }
}

fn unsigned_zero(text: String) -> String {
    let mantissa = text.split('e').next().unwrap_or(&text);
    if text.starts_with('-') && !mantissa.contains(|c: char| matches!(c, '1'..='9')) {
        text[1..].to_string()
    } else {
        text
    }
}

/// The power of ten of a number: 3 for 1000 and for 9999, -1 for 0.5; `None` for zero and what is not finite.
pub(crate) fn exponent(x: f64) -> Option<i32> {
    if x == 0.0 || !x.is_finite() {
        return None;
    }
    Some(split(&format!("{x:e}")).1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zero_has_no_sign() {
        assert_eq!(number(-0.0), "0");
        assert_eq!(fixed(-0.000_01, 2), "0.00");
        assert_eq!(scientific(-0.0, 2), "0.00e0");
        assert_eq!(exact(-0.0), "0");
        assert_eq!(fixed(-0.01, 2), "-0.01");
    }

    #[test]
    fn seven_digits_are_kept_whatever_the_size() {
        assert_eq!(number(35.975_990_73), "35.97599");
        assert_eq!(number(0.000_999_999_98), "0.001");
        assert_eq!(number(9_999_999.7), "1e7");
        assert_eq!(number(999_999.97), "1000000");
        assert_eq!(number(123_456.789), "123456.8");
        assert_eq!(number(-1.25e-12), "-1.25e-12");
        assert_eq!(number(100.0), "100");
    }

    #[test]
    fn exact_text_reads_back_to_the_same_bits() {
        for x in [0.1, 1e-300, 1e22, 3.0, -2.5e-8, f64::MAX] {
            assert_eq!(exact(x).parse::<f64>().unwrap().to_bits(), x.to_bits());
        }
        assert_eq!(exact(3.0), "3");
    }

    #[test]
    fn what_is_not_finite_has_a_name() {
        assert_eq!(number(f64::NAN), "NaN");
        assert_eq!(fixed(f64::NEG_INFINITY, 2), "-inf");
    }

    #[test]
    fn the_exponent_is_that_of_the_leading_digit() {
        assert_eq!(exponent(1000.0), Some(3));
        assert_eq!(exponent(-0.5), Some(-1));
        assert_eq!(exponent(0.0), None);
    }
}

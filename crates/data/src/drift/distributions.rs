//! The distributions that statistics of drift have where nothing has changed.

/// The upper tail of the Kolmogorov distribution, 2 sum (-1)^(k-1) exp(-2 k^2 x^2), and for small
/// x, where that converges slowly, its theta transform.
pub(super) fn kolmogorov(x: f64) -> f64 {
    use std::f64::consts::PI;
    if x <= 0.0 {
        return 1.0;
    }
    if x < 1.18 {
        let y = libm::exp(-PI * PI / (8.0 * x * x));
        let sum = y + libm::pow(y, 9.0) + libm::pow(y, 25.0) + libm::pow(y, 49.0);
        return (1.0 - (2.0 * PI).sqrt() / x * sum).clamp(0.0, 1.0);
    }
    let y = libm::exp(-2.0 * x * x);
    (2.0 * (y - libm::pow(y, 4.0) + libm::pow(y, 9.0) - libm::pow(y, 16.0))).clamp(0.0, 1.0)
}

/// The regularised upper incomplete gamma function Q(a, x): a series for small x, a continued
/// fraction (modified Lentz) otherwise (Press et al., Numerical Recipes, section 6.2).
pub(super) fn gamma_q(a: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    let front = libm::exp(a * libm::log(x) - x - libm::lgamma(a));
    if x < a + 1.0 {
        let (mut term, mut sum, mut n) = (1.0 / a, 1.0 / a, a);
        for _ in 0..10_000 {
            n += 1.0;
            term *= x / n;
            sum += term;
            if term < sum * 1e-16 {
                break;
            }
        }
        return (1.0 - sum * front).clamp(0.0, 1.0);
    }
    const TINY: f64 = 1e-300;
    let mut b = x + 1.0 - a;
    let mut c = 1.0 / TINY;
    let mut d = 1.0 / b;
    let mut product = d;
    for i in 1..10_000 {
        let i = f64::from(i);
        let numerator = -i * (i - a);
        b += 2.0;
        let keep = |value: f64| if value.abs() < TINY { TINY } else { value };
        d = 1.0 / keep(numerator * d + b);
        c = keep(b + numerator / c);
        product *= d * c;
        if (d * c - 1.0).abs() < 1e-15 {
            break;
        }
    }
    (front * product).clamp(0.0, 1.0)
}

/// Two numbers of the bell curve, made of two evenly spread ones (Box and Muller 1958). The same place gives the same two.
pub(super) fn bell_pair(place: u64) -> (f64, f64) {
    let even = |at: u64| (crate::profile::mixed(at) >> 11) as f64 / (1_u64 << 53) as f64;
    let (a, b) = (even(2 * place + 1), even(2 * place + 2));
    let radius = (-2.0 * libm::log(1.0 - a)).sqrt();
    let angle = 2.0 * std::f64::consts::PI * b;
    (radius * libm::cos(angle), radius * libm::sin(angle))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: f64, b: f64) {
        assert!((a - b).abs() <= 1e-12 + 1e-9 * b.abs(), "{a} is not {b}");
    }

    #[test]
    fn distributions_agree_with_scipy() {
        // scipy 1.17.1: [special.kolmogorov(x) for x in (.3, .5, 1, 1.36, 2, 3)]
        let q = [
            0.9999906941986655,
            0.9639452436648751,
            0.26999967167735456,
            0.049485876755377876,
            0.0006709252557796953,
            3.045995948942526e-08,
        ];
        for (x, expected) in [0.3, 0.5, 1.0, 1.36, 2.0, 3.0].into_iter().zip(q) {
            near(kolmogorov(x), expected);
        }
        // scipy 1.17.1: [special.gammaincc(*p) for p in ((.5,.1), (1.5,4), (5,2), (10,30), (50,40))]
        let q = [
            ((0.5, 0.1), 0.6547208460185768),
            ((1.5, 4.0), 0.04601170568923136),
            ((5.0, 2.0), 0.9473469826562889),
            ((10.0, 30.0), 7.121750862815593e-06),
            ((50.0, 40.0), 0.9296649333406051),
        ];
        for ((a, x), expected) in q {
            near(gamma_q(a, x), expected);
        }
    }

    #[test]
    fn numbers_of_the_bell_curve_have_its_mean_and_width() {
        let numbers: Vec<f64> = (0..10_000).flat_map(|at| <[f64; 2]>::from(bell_pair(at))).collect();
        let mean = numbers.iter().sum::<f64>() / 20_000.0;
        let square = numbers.iter().map(|x| x * x).sum::<f64>() / 20_000.0;
        assert!(mean.abs() < 0.03 && (square - 1.0).abs() < 0.04, "{mean} {square}");
    }
}

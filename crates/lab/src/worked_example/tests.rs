//! The spelled arithmetic against the layers, and what is refused.

use super::*;

fn matrix(text: &str) -> Matrix {
    text.parse().expect(text)
}

fn values(matrix: &Matrix) -> Vec<f32> {
    matrix.rows().flatten().copied().collect()
}

/// Numbers from -9.99 to 9.99 without a pattern, with two decimals.
fn wild([rows, columns]: [usize; 2], seed: usize) -> Matrix {
    let number = |at: usize| {
        let wave = ((at + 97 * seed) as f32 * 12.9898).sin() * 43_758.547;
        (wave.fract() * 999.0).round() / 100.0
    };
    Matrix::new(columns, (0..rows * columns).map(number).collect())
}

/// What is written between the first and the last sign, computed in f64, and
/// the sum of its terms without their signs.
fn computed(line: &str) -> [f64; 2] {
    let number = |text: &str| -> f64 { text.trim_matches(['(', ')']).parse().expect(line) };
    let (_, right) = line.split_once(" = ").expect(line);
    let (sum, _) = right.rsplit_once(" = ").expect(line);
    let terms = |sum: &str| -> Vec<f64> {
        let term = |term: &str| match (term.split_once('*'), term.split_once('^')) {
            (Some((weight, value)), _) => number(weight) * number(value),
            (_, Some((value, _))) => number(value).powi(2),
            _ => number(term),
        };
        sum.split(" + ").map(term).collect()
    };
    let both = |terms: Vec<f64>| {
        let size = terms.iter().map(|term| term.abs()).sum();
        [terms.iter().sum(), size]
    };
    if let Some(values) = sum.strip_prefix("max(") {
        let largest = values.split(", ").map(number).fold(f64::MIN, f64::max);
        return [largest, largest.abs()];
    }
    if let Some(squares) = sum.strip_prefix("sqrt(") {
        return both(terms(&squares[..squares.len() - 1])).map(f64::sqrt);
    }
    match sum.rsplit_once(")/") {
        Some((sum, count)) => both(terms(&sum[1..])).map(|sum| sum / number(count)),
        None => both(terms(sum)),
    }
}

/// Every line is the layer's value, to the last bits of float32 and to the six
/// digits of the numbers in it.
#[track_caller]
fn assert_spelled(step: &WorkedStep) {
    let output = values(&step.output);
    assert_eq!(step.sums.len(), output.len());
    for (line, value) in step.sums.iter().zip(output) {
        let [sum, size] = computed(line);
        let allowed = 2e-6 * size;
        assert!((sum - f64::from(value)).abs() <= allowed, "{line} {sum}");
        assert!(line.ends_with(&format!(" = {}", shown(value))), "{line}");
    }
}

#[test]
fn spelled_sums_are_what_the_convolution_gives() {
    let every = Extent::Every;
    let mut seed = 0;
    for (input, kernel) in [
        ([4, 4], [3, 3]),
        ([9, 7], [2, 4]),
        ([1, 12], [1, 5]),
        ([12, 1], [5, 1]),
        ([20, 20], [7, 7]),
    ] {
        for (stride, padding, dilation) in [
            (every(1), Padding::By(every(0)), every(1)),
            (every(2), Padding::By(every(1)), every(1)),
            (Extent::Sides([1, 3]), Padding::By(every(4)), every(2)),
            (every(2), Padding::By(Extent::Sides([4, 5])), every(2)),
        ] {
            seed += 1;
            let example = WorkedExample {
                input: wild(input, seed),
                convolution: Some(WorkedConvolution {
                    bias: [0.0, -0.35][seed % 2],
                    stride,
                    padding,
                    dilation,
                    flip: seed % 3 == 0,
                    ..WorkedConvolution::new(wild(kernel, seed + 50))
                }),
                activation: None,
                pool: None,
            };
            let worked = example.work().expect("fits");
            assert_spelled(&worked.steps[0]);
            assert_eq!(worked.shape, worked.steps[0].shape);
        }
    }
}

#[test]
fn spelled_pooling_is_what_the_layer_gives() {
    for (seed, text) in ["max:2", "average:3:1", "sum:3:2", "l2:2x3", "l2:4:3"]
        .iter()
        .enumerate()
    {
        let example = WorkedExample {
            input: wild([9, 10], seed),
            convolution: None,
            activation: None,
            pool: Some(text.parse().expect(text)),
        };
        assert_spelled(&example.work().expect(text).steps[0]);
    }
}

fn simple(input: &str, kernel: &str) -> WorkedExample {
    WorkedExample {
        input: matrix(input),
        convolution: Some(WorkedConvolution::new(matrix(kernel))),
        activation: None,
        pool: None,
    }
}

#[test]
fn one_row_is_one_dimension() {
    let mut example = simple("1 2 3 4 5", "2 1");
    let worked = example.work().expect("fits");
    assert_eq!(
        (worked.shape, values(&worked.output)),
        ([1, 4], vec![4.0, 7.0, 10.0, 13.0])
    );
    assert_eq!(worked.steps[0].sums[3], "output[0][3] = 2*4 + 1*5 = 13");
    if let Some(convolution) = &mut example.convolution {
        convolution.padding = Padding::By(Extent::Every(1));
    }
    example.pool = Some("max:3".parse().expect("a pooling"));
    let worked = example.work().expect("fits");
    assert_eq!(worked.steps[0].sums[0], "output[0][0] = 2*0 + 1*1 = 1");
    assert_eq!(
        values(&worked.steps[0].output),
        [1.0, 4.0, 7.0, 10.0, 13.0, 10.0]
    );
    assert_eq!(values(&worked.output), [7.0, 13.0]);
}

#[test]
fn activation_comes_before_pooling() {
    let mut example = simple("1 -2 -3 4", "1");
    example.activation = Some(Nonlinearity::Relu);
    example.pool = Some("sum:2".parse().expect("a pooling"));
    let worked = example.work().expect("fits");
    assert_eq!(values(&worked.output), [1.0, 4.0]);
    assert_eq!(worked.steps[1].sums[1], "output[0][1] = relu(-2) = 0");
    assert_eq!(worked.steps[2].sums[0], "output[0][0] = 1 + 0 = 1");
}

#[test]
fn what_no_window_reaches_is_counted() {
    let under = |stride, padding| {
        let mut example = simple("1 2 3 4 5 6 7", "1 1 1");
        if let Some(convolution) = &mut example.convolution {
            convolution.stride = Extent::Every(stride);
            convolution.padding = Padding::By(Extent::Every(padding));
        }
        let step = example.work().expect("fits").steps.remove(0);
        let [_, columns] = step.size.expect("a window");
        (step.left_over, columns)
    };
    let formula = "(7 - 3 + 2*0)/3 + 1 = 2.33 -> 2 (rounded down)";
    assert_eq!(under(3, 0), ([0, 1], formula.to_owned()));
    assert_eq!(under(5, 0).0, [0, 4]);
    assert_eq!(under(4, 1).0, [0, 1]);
    // Nothing but padding is left.
    let formula = "(7 - 3 + 2*2)/7 + 1 = 2.14 -> 2 (rounded down)";
    assert_eq!(under(7, 2), ([0, 0], formula.to_owned()));
}

#[test]
fn sums_lose_their_rounding_errors_alone() {
    let sum = |input| values(&simple(input, "1 1 1").work().expect("fits").output)[0];
    assert_eq!(sum("0.1 0.2 -0.3"), 0.0);
    assert_eq!(sum("0.7 0.1 -0.75"), 0.05);
    assert_eq!(sum("1e-9 2e-9 0"), 3e-9);
    assert_eq!(sum("9999999 3000000 -1"), 12_999_998.0);
    assert_eq!(sum("1000 0.125 0"), 1000.125);
    let mut means = simple("0.1 0.2 -0.3", "1");
    means.pool = Some("average:3".parse().expect("a pooling"));
    assert_eq!(values(&means.work().expect("fits").output), [0.0]);
    means.input = Matrix::new(10, vec![0.123_456_7; 100]);
    means.pool = Some("average:10".parse().expect("a pooling"));
    let mean = values(&means.work().expect("fits").output)[0];
    assert!((mean - 0.123_456_7).abs() < 1e-6, "{mean}");
}

#[test]
fn numbers_are_shown_short() {
    for (value, text) in [
        (122.0, "122"),
        (1.350_000_1, "1.35"),
        (-0.350_000_02, "-0.35"),
        (-0.0, "0"),
        (1_234_567.0, "1234567"),
        (0.794_129_6, "0.79413"),
        (1e-9, "1e-9"),
        (3e30, "3e30"),
    ] {
        assert_eq!(shown(value), text);
    }
    let lines = matrix("1 -0.5; 12.25 3").lines();
    assert_eq!(lines, [" 1     -0.5", "12.25   3"]);
    let json = serde_json::to_string(&matrix("1 1.3500001; -0.0 1234.5678")).expect("JSON");
    assert_eq!(json, "[[1,1.35],[0,1234.568]]");
}

fn refusal<T: std::str::FromStr<Err = LabError>>(text: &str) -> String {
    let error = text.parse::<T>().err();
    error.map(|error| error.to_string()).unwrap_or_default()
}

#[test]
fn what_cannot_be_read_is_refused_with_its_place() {
    let long = ["1"; 10_001].join(" ");
    for (text, words) in [
        ("", "empty"),
        (" ; 1", "row 1 is empty"),
        ("1 2;", "row 2 is empty"),
        ("1 2; 3", "2 in row 1, 1 in row 2"),
        ("1 2; 3 x", "row 2: 'x' is not a number"),
        ("1,2", "'1,2' is not a number"),
        ("nan", "'nan' is not a finite number"),
        ("1 -inf", "row 1: '-inf' is not a finite number"),
        ("1e39", "beyond the range of float32"),
        (&long, "10001 numbers"),
    ] {
        let message = refusal::<Matrix>(text);
        assert!(message.contains(words), "{text}: {message}");
    }
    for (text, words) in [
        ("mox:2", "did you mean 'max'?"),
        ("max", "needs a size"),
        ("max:2:1:1", "needs a size"),
        ("max:two", "'two' is no size"),
        ("max:2:-1", "'-1' is no size"),
    ] {
        let message = refusal::<PoolChoice>(text);
        assert!(message.contains(words), "{text}: {message}");
    }
    for text in ["some", "-1", "1001", "1.5", "2x"] {
        assert!(refusal::<Padding>(text).contains("no padding"), "{text}");
        assert!(refusal::<Extent>(text).contains("no size"), "{text}");
    }
}

#[test]
fn what_cannot_be_computed_is_refused_with_the_formula() {
    let refused = |input: &str, kernel: &str, change: fn(&mut WorkedConvolution)| {
        let mut example = simple(input, kernel);
        example.convolution.as_mut().map(change);
        let error = example.work().err();
        error.map(|error| error.to_string()).unwrap_or_default()
    };
    let too_large = refused("1 2; 3 4", "1 2 3", |_| {});
    let formula = "convolution 1x3 does not fit a map of 2x2: its width (2 - 3 + 2*0)/1 + 1 = 0";
    assert!(too_large.starts_with(formula), "{too_large}");
    let even = refused("1 2 3", "1 2", |conv| conv.padding = Padding::Same);
    assert!(
        even.contains("odd number of rows and columns, not 1x2"),
        "{even}"
    );
    let still = refused("1 2 3", "1", |conv| conv.stride = Extent::Every(0));
    assert_eq!(still, "the stride is 0, but it must be at least 1");
    let huge = refused("3e38 3e38", "1 1", |_| {});
    assert!(huge.contains("beyond the range of float32"), "{huge}");
    let wide = refused("1; 1", "1; 1", |conv| {
        conv.padding = Padding::By(Extent::Every(1000))
    });
    assert!(wide.contains("at most 1000000 are spelled out"), "{wide}");
    let nothing = WorkedExample {
        convolution: None,
        ..simple("1", "1")
    };
    let nothing = nothing.work().err().map(|error| error.to_string());
    assert!(nothing.is_some_and(|text| text.contains("nothing to compute")));
}

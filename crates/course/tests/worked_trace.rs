//! The worked trace of chapter 04 is PyTorch's to a relative 1e-12: on the page and in the notebook, as it is in the exercise.

use std::fs;
use std::path::Path;

use moments_chapters::Layout;
use moments_checks::golden;

#[test]
fn the_page_and_the_notebook_print_the_third_step_of_pytorch() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let read = |path: &Path| fs::read_to_string(path).expect("the file is committed");
    let layout = Layout::at(root);
    let numbers: toml::Table = read(&layout.outputs("04-adam").join("numbers.toml"))
        .parse()
        .expect("numbers.toml is well-formed");
    let chapter = read(&layout.source("04-adam"));
    let notebook = read(&layout.notebook("04-adam"));

    let golden = golden::adam_square();
    let third = &golden.steps[2];
    for (name, label) in [("m_hat_3", "m_hat"), ("v_hat_3", "v_hat"), ("x_3", "theta")] {
        let printed = numbers[name].as_str().expect("numbers are kept as printed");
        let value: f64 = printed.parse().expect("a number");
        let expected = third.get(label)[0];
        assert!(
            (value - expected).abs() <= 1e-12 * expected.abs(),
            "{name}: {printed} is printed, PyTorch has {expected}"
        );
        assert!(
            chapter.contains(&format!("{{{{= {name}}}}}")),
            "the page does not show all digits of {name}"
        );
        assert!(
            notebook.contains(printed),
            "the notebook does not show {printed}, which is {name}"
        );
    }
}

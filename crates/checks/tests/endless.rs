//! An endless loop is ended, explained once, and not waited for twice. In a file of its own, for it marks the whole process.

use std::time::{Duration, Instant};

use moments_checks::ex07_adam::{self, Hyper, Optimizer};
use moments_checks::judge;

#[test]
fn an_endless_loop_is_ended_and_told_with_its_step_and_other_checks_do_not_wait_for_it() {
    let code: fn(usize, Option<Hyper>) -> Optimizer = |_, _| {
        let mut t = 0;
        Box::new(move |theta, _| {
            t += 1;
            if t == 2 {
                loop {
                    std::thread::sleep(Duration::from_millis(10));
                }
            }
            // The first step of the worked trace, so that it is the second that is told.
            theta[0] = 3.0 - 1e-3 * 6.0 / (6.0 + 1e-8);
        })
    };
    let judge = |check| {
        judge(&ex07_adam::EXERCISE, check, ex07_adam::start(code)).expect_err("it never ends")
    };

    let message = judge("the_worked_trace_on_x_squared");
    let sentence = "Step 2 of 10: your code did not come back within 3 seconds";
    assert!(message.contains(sentence), "{message}");
    assert!(message.lines().count() <= 20, "{message}");

    let start = Instant::now();
    let message = judge("adam_matches_pytorch");
    assert!(
        message.contains("First mend `the_worked_trace_on_x_squared`"),
        "{message}"
    );
    assert!(
        start.elapsed() < Duration::from_secs(2),
        "{:?}",
        start.elapsed()
    );
}

//! What schedules promise, beside PyTorch's numbers.

use super::*;

fn settings(name: &str) -> ScheduleSettings {
    ScheduleSettings {
        min_lr: 0.1,
        ..find_schedule(name).expect("a schedule").defaults()
    }
}

fn schedule(name: &str, warmup_epochs: f64) -> Schedule {
    let settings = ScheduleSettings {
        warmup_epochs,
        ..settings(name)
    };
    Schedule::new(&settings, 1.0, 10, 10).expect("a schedule")
}

#[test]
fn a_stretched_schedule_has_the_same_rates_at_the_same_shares_of_the_run() {
    for row in SCHEDULES.iter().filter(|row| !row.watches) {
        let long = ScheduleSettings {
            milestones: vec![4, 8],
            step_epochs: 2,
            restart_epochs: 4,
            knots: "0:0,2:1,10:0".to_owned(),
            warmup_epochs: match row.keys.contains(&"warmup_epochs") {
                true => 2.0,
                false => 0.0,
            },
            ..settings(row.name)
        };
        let short = long.stretched(10, 5);
        short.check(1.0, 5).expect("usable");
        let rates = |settings: &ScheduleSettings, epochs, per_epoch| {
            let schedule = Schedule::new(settings, 1.0, epochs, per_epoch).expect("a schedule");
            (0..100).map(|step| schedule.lr(step)).collect::<Vec<_>>()
        };
        let pairs = rates(&long, 10, 10).into_iter().zip(rates(&short, 5, 20));
        for (step, (long, short)) in pairs.enumerate() {
            assert!(
                (long - short).abs() < 1e-9,
                "{} {step}: {long} {short}",
                row.name
            );
        }
    }
    let colliding = ScheduleSettings {
        milestones: vec![80, 81, 120],
        ..settings("multi-step")
    };
    assert_eq!(colliding.stretched(160, 4).milestones, [2, 3]);
}

#[test]
fn a_constant_rate_stays() {
    assert!((0..100).all(|step| schedule("constant", 0.0).lr(step) == 1.0));
}

#[test]
fn a_cosine_falls_from_the_full_rate_to_the_lowest() {
    let cosine = schedule("cosine", 0.0);
    assert_eq!(cosine.lr(0), 1.0);
    assert!((cosine.lr(50) - 0.55).abs() < 1e-12);
    assert!((cosine.lr(100) - 0.1).abs() < 1e-12);
    assert!((1..100).all(|step| cosine.lr(step) < cosine.lr(step - 1)));
    assert_eq!(cosine.lr(1000), cosine.lr(100), "it never climbs again");
}

#[test]
fn the_warm_up_rises_to_the_full_rate() {
    let warming = |row: &&ScheduleRow| row.keys.contains(&"warmup_epochs");
    for row in SCHEDULES.iter().filter(warming) {
        let schedule = schedule(row.name, 2.0);
        assert!((schedule.lr(0) - 0.05).abs() < 1e-12, "{}", row.name);
        assert_eq!(schedule.lr(19), 1.0, "{}", row.name);
        assert_eq!(schedule.lr(20), 1.0, "{}", row.name);
        assert!(schedule.lr(99) < 1.0 || row.name == "constant" || row.watches);
    }
}

#[test]
fn every_rate_of_every_schedule_can_be_used() {
    for row in SCHEDULES {
        let schedule = schedule(row.name, 0.0);
        for step in 0..300 {
            let lr = schedule.lr(step);
            assert!((0.0..=1.0).contains(&lr), "{} at {step}: {lr}", row.name);
        }
    }
}

#[test]
fn annealing_has_half_of_the_rate_after_its_epochs() {
    let settings = ScheduleSettings {
        annealing_epochs: 3.0,
        ..settings("annealing")
    };
    let schedule = Schedule::new(&settings, 1.0, 10, 10).expect("a schedule");
    assert!((schedule.lr(30) - 0.5).abs() < 1e-12);
    assert!((schedule.lr(60) - 1.0 / 3.0).abs() < 1e-12);
}

#[test]
fn a_cosine_restarts_at_periods_that_grow() {
    let settings = ScheduleSettings {
        restart_epochs: 1,
        restart_factor: 2.0,
        ..settings("cosine")
    };
    let schedule = Schedule::new(&settings, 1.0, 15, 10).expect("a schedule");
    for step in 1..150 {
        let restart = [10, 30, 70].contains(&step);
        assert_eq!(schedule.lr(step) > schedule.lr(step - 1), restart, "{step}");
        assert!(!restart || schedule.lr(step) == 1.0);
    }
}

#[test]
fn lines_go_through_their_knots() {
    let settings = ScheduleSettings {
        knots: "0:0.2,2:1,8:0.5".to_owned(),
        ..settings("piecewise-linear")
    };
    let schedule = Schedule::new(&settings, 10.0, 10, 10).expect("a schedule");
    for (step, lr) in [
        (0, 2.0),
        (10, 6.0),
        (20, 10.0),
        (50, 7.5),
        (80, 5.0),
        (99, 5.0),
    ] {
        assert!((schedule.lr(step) - lr).abs() < 1e-12, "{step}");
    }
}

#[test]
fn a_plateau_lowers_the_rate_of_every_clone() {
    let settings = ScheduleSettings {
        patience: 1,
        gamma: 0.5,
        ..settings("reduce-on-plateau")
    };
    let schedule = Schedule::new(&settings, 1.0, 10, 10).expect("a schedule");
    let head = schedule.scaled(0.1);
    for (loss, lr) in [
        (1.0, 1.0),
        (2.0, 1.0),
        (1.0, 0.5),
        (0.5, 0.5),
        (f64::NAN, 0.5),
    ] {
        schedule.observe(loss);
        assert_eq!(schedule.lr(0), lr, "{loss}");
        assert!((head.lr(0) - 0.1 * lr).abs() < 1e-12, "{loss}");
    }
    for _ in 0..20 {
        head.observe(1.0);
    }
    assert_eq!(schedule.lr(0), 0.1, "not below the lowest");
    let stranger = Schedule::new(&settings, 1.0, 10, 10).expect("a schedule");
    assert_eq!(stranger.lr(0), 1.0);
}

#[test]
fn a_schedule_goes_on_where_its_record_stopped() {
    for row in SCHEDULES {
        let losses = |step: usize| f64::from(step as u32 % 7) / (step + 1) as f64;
        let mut whole = schedule(row.name, 0.0);
        let settings = ScheduleSettings {
            patience: 2,
            ..settings(row.name)
        };
        let fresh = || Schedule::new(&settings, 1.0, 10, 10).expect("a schedule");
        whole.course = fresh().course;
        let run = |schedule: &mut Schedule, steps: std::ops::Range<usize>| {
            let rates = steps.map(|step| {
                schedule.observe(losses(step));
                schedule.step()
            });
            rates.collect::<Vec<_>>()
        };
        let rates = run(&mut whole, 0..50);
        let mut first = fresh();
        run(&mut first, 0..20);
        let mut second = fresh();
        second.load_record(first.to_record());
        assert_eq!(run(&mut second, 20..50), rates[20..], "{}", row.name);
    }
}

#[test]
fn impossible_numbers_are_refused() {
    type Change = fn(&mut ScheduleSettings);
    let check = |name: &str, change: Change| {
        let mut settings = find_schedule(name).expect("a schedule").defaults();
        change(&mut settings);
        settings.check(0.1, 5)
    };
    for row in SCHEDULES {
        assert_eq!(check(row.name, |_| ()), Ok(()), "{}", row.name);
    }
    assert!(check("cosine", |s| (s.warmup_epochs, s.min_lr) = (5.0, 0.1)).is_ok());
    let wrong: [(&str, Change); 18] = [
        ("warmup_epochs", |s| s.warmup_epochs = -1.0),
        ("warmup_epochs", |s| s.warmup_epochs = 5.1),
        ("warmup_epochs", |s| s.warmup_epochs = f64::NAN),
        ("min_lr", |s| s.min_lr = -0.1),
        ("min_lr", |s| s.min_lr = 0.2),
        ("annealing_epochs", |s| s.annealing_epochs = 0.0),
        ("gamma", |s| s.gamma = 0.0),
        ("gamma", |s| s.gamma = 1.1),
        ("power", |s| s.power = f64::INFINITY),
        ("restart_factor", |s| s.restart_factor = 0.5),
        ("peak", |s| s.peak = 1.0),
        ("rise", |s| s.rise = 0.5),
        ("fall", |s| s.fall = f64::NAN),
        ("milestones", |s| s.milestones = vec![3, 3]),
        ("knots", |s| s.knots = "5:1,0:0".to_owned()),
        ("knots", |s| s.knots = "0:-1".to_owned()),
        ("knots", |s| s.knots = "fast".to_owned()),
        ("knots", |s| s.knots = String::new()),
    ];
    for (key, change) in wrong {
        let refusal = check("cosine", change).expect_err(key);
        assert!(
            refusal.starts_with(&format!("schedule.{key} is")),
            "{refusal}"
        );
    }
    for name in ["one-cycle", "piecewise-linear"] {
        let refusal = check(name, |s| s.warmup_epochs = 1.0).expect_err(name);
        assert!(
            refusal.contains("says itself how the rate rises"),
            "{refusal}"
        );
    }
}

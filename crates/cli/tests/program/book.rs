//! The book in docs/src: its commands run, they print what it says, and its
//! links lead somewhere.
//!
//! A block of `sh` holds `kiln` commands, one a line. Comments right above it say
//! how it is tested:
//!
//! - `<!-- smoke: kiln ... -->`, one for each command: a quick one of the same
//!   verb, which runs instead. The printed trainings are resolved all the same.
//! - `<!-- needs: mnist -->`: data that the printed form needs.
//! - `<!-- exit: 2 -->`: the commands are refused.
//!
//! The block without a language that follows is what the commands print: every
//! line is one of the output, in this order, and `...` stands for anything.
//! A block of `toml` under `<!-- file: NAME -->` is written for the commands. The
//! commands of a chapter run one after the other in one folder.

mod page;

use super::{stderr, stdout};
use page::{Block, Part, parts};
use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    thread,
};

/// How commands are carried out.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    Smoke,
    AsPrinted,
}

fn root() -> PathBuf {
    let program = Path::new(env!("CARGO_MANIFEST_DIR"));
    program.ancestors().nth(2).unwrap().to_owned()
}

/// The pages of the book, by name, `SUMMARY.md` aside.
fn chapters() -> Vec<(String, String)> {
    let entries = fs::read_dir(root().join("docs/src")).unwrap().flatten();
    let mut chapters: Vec<_> = entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".md") && name != "SUMMARY.md")
        .map(|name| {
            let text = fs::read_to_string(root().join("docs/src").join(&name)).unwrap();
            (name, text)
        })
        .collect();
    chapters.sort();
    assert!(chapters.len() > 10);
    chapters
}

/// Whether a command would look for data that are not built in.
fn looks_for_data(line: &str) -> bool {
    let reads = ["train", "eval", "lr-find", "data show"];
    let reads = reads
        .iter()
        .any(|verb| line.starts_with(&format!("kiln {verb} ")));
    let named = ["mnist", "cifar10"].iter().any(|name| line.contains(name));
    let chosen = [" -d ", " --dataset ", " --config ", " --resume "];
    let chosen = chosen.iter().any(|flag| line.contains(flag));
    let may_choose = line.starts_with("kiln train ") || line.starts_with("kiln lr-find ");
    reads && (named || may_choose && !chosen)
}

/// A shell that finds the program, in `folder`, with the data folder `data`.
fn shell(line: &str, folder: &Path, data: &Path) -> Command {
    let program = Path::new(env!("CARGO_BIN_EXE_kiln")).parent().unwrap();
    let others = std::env::var_os("PATH").unwrap_or_default();
    let found = [program.to_owned()]
        .into_iter()
        .chain(std::env::split_paths(&others));
    let mut command = Command::new("sh");
    command.args(["-c", line]).current_dir(folder);
    command.env("PATH", std::env::join_paths(found).unwrap());
    command.env("KILN_DATA_DIR", data);
    for variable in ["KILN_RUNS_DIR", "BURN_DEVICE"] {
        command.env_remove(variable);
    }
    command
}

/// Starts a server, and ends it when it has said where it listens.
fn serve(line: &str, folder: &Path, data: &Path) -> Output {
    let line = format!("exec {line} --port 0");
    let mut child = shell(&line, folder, data)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    out.read_line(&mut first).unwrap();
    if first.starts_with("http://") {
        child.kill().unwrap();
    }
    let mut output = child.wait_with_output().unwrap();
    if first.starts_with("http://") {
        output.status = std::process::ExitStatus::default();
    }
    output.stdout = first.into_bytes();
    output
}

/// Carries out a block; what went wrong, if anything did.
fn carry_out(block: &Block, form: Form, folder: &Path, data: &Path) -> Result<(), String> {
    let smoke = form == Form::Smoke && !block.smoke.is_empty();
    let lines = if smoke { &block.smoke } else { &block.commands };
    let mut printed = String::new();
    let run = |line: &str| {
        let output = match line.starts_with("kiln playground") {
            true => serve(line, folder, data),
            false => shell(line, folder, data).output().unwrap(),
        };
        let text = stdout(&output) + &stderr(&output);
        match output.status.code() == Some(block.exit) {
            true => Ok(text),
            false => Err(format!("{line}: {:?}\n{text}", output.status.code())),
        }
    };
    for line in lines {
        if form == Form::Smoke && looks_for_data(line) {
            return Err(format!("{line}: needs data, and a smoke form"));
        }
        printed += &run(line)?;
    }
    let trainings = block.commands.iter().filter(|_| smoke);
    for line in trainings.filter(|line| line.starts_with("kiln train ")) {
        run(&resolving(line))?;
    }
    match missing(&block.output, &printed) {
        Some(line) if !smoke => Err(format!("not printed: {line}\n{printed}")),
        _ => Ok(()),
    }
}

/// The first line of what is expected that is not there, in its place.
fn missing<'a>(expected: &'a [String], printed: &str) -> Option<&'a str> {
    let mut lines = printed.lines();
    let expected = expected.iter().map(|line| line.trim_end());
    let mut expected = expected.filter(|line| !line.is_empty() && *line != "...");
    expected.find(|wanted| !lines.any(|line| holds(line, wanted)))
}

/// Whether `line` is what is wanted, where `...` stands for anything.
fn holds(line: &str, wanted: &str) -> bool {
    let pieces: Vec<_> = wanted.split("...").map(str::trim).collect();
    let [first, middle @ .., last] = pieces.as_slice() else {
        return line.trim() == wanted.trim();
    };
    let Some(mut rest) = line.trim().strip_prefix(first) else {
        return false;
    };
    for piece in middle {
        match rest.split_once(piece) {
            Some((_, behind)) => rest = behind,
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// The settings of a training, without how often it is done.
fn resolving(line: &str) -> String {
    let mut words: Vec<_> = line.split(' ').collect();
    let often = |word: &&str| ["--seeds", "--members"].contains(word);
    if let Some(at) = words.iter().position(often) {
        words.drain(at..at + 2);
    }
    words.join(" ") + " --print-config"
}

/// What went wrong in a chapter.
fn faults(text: &str, form: Form) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let parts = match parts(text) {
        Ok(parts) => parts,
        Err(fault) => return vec![fault],
    };
    let data = match form {
        Form::Smoke => path.join("data"),
        Form::AsPrinted => PathBuf::from(std::env::var_os("KILN_DATA_DIR").unwrap()),
    };
    let mut faults = Vec::new();
    for part in parts {
        match part {
            Part::File { name, text } => fs::write(path.join(name), text).unwrap(),
            Part::Commands(block) => {
                let result = carry_out(&block, form, path, &data);
                faults.extend(result.err().map(|e| format!("line {}: {e}", block.line)));
            }
        }
    }
    faults
}

/// Every chapter in a thread of its own.
fn run_the_book(form: Form) {
    let chapters = chapters();
    let faults: Vec<_> = thread::scope(|scope| {
        let threads = chapters
            .iter()
            .map(|(name, text)| (name, scope.spawn(|| faults(text, form))));
        let threads: Vec<_> = threads.collect();
        threads
            .into_iter()
            .flat_map(|(name, thread)| {
                let faults = thread.join().unwrap().into_iter();
                faults.map(move |fault| format!("docs/src/{name}, {fault}"))
            })
            .collect()
    });
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}

#[test]
fn every_command_of_the_book_runs_in_its_smoke_form() {
    run_the_book(Form::Smoke);
}

#[test]
#[ignore = "slow: minutes, trains what the book trains, with the data in KILN_DATA_DIR"]
fn every_command_of_the_book_runs_as_printed() {
    run_the_book(Form::AsPrinted);
}

#[test]
fn every_chapter_is_in_the_summary_and_ends_with_commands() {
    let summary = fs::read_to_string(root().join("docs/src/SUMMARY.md")).unwrap();
    for (name, text) in chapters() {
        assert!(summary.contains(&format!("]({name})")), "{name}");
        let (_, last) = text.rsplit_once("\n## ").expect(&name);
        assert!(last.starts_with("Run it\n"), "{name}");
        assert!(last.contains("```sh\nkiln "), "{name}");
    }
}

/// The anchors that GitHub and mdBook give to the headings of a page.
fn anchors(text: &str) -> Vec<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|line| {
            let heading = line.trim_start_matches('#').trim().to_lowercase();
            let kept = heading.chars().filter_map(|letter| match letter {
                ' ' => Some('-'),
                letter => (letter.is_alphanumeric() || "-_".contains(letter)).then_some(letter),
            });
            kept.collect()
        })
        .collect()
}

/// The links of a page that lead nowhere.
fn broken_links(page: &Path) -> Vec<String> {
    let text = fs::read_to_string(page).unwrap();
    let fences = text.split("\n```").step_by(2);
    let links = fences.flat_map(|prose| prose.split("](").skip(1));
    let links = links.filter_map(|rest| rest.split(')').next());
    let broken = |link: &&str| {
        let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
        let target = match path {
            "" => page.to_owned(),
            path => page.parent().unwrap().join(path),
        };
        let anchored = || {
            let text = fs::read_to_string(&target).unwrap_or_default();
            anchors(&text).contains(&anchor.to_owned())
        };
        !link.starts_with("https://") && !(target.exists() && (anchor.is_empty() || anchored()))
    };
    links.filter(broken).map(str::to_owned).collect()
}

#[test]
fn every_link_of_the_book_and_the_readme_leads_somewhere() {
    let pages = chapters().into_iter().map(|(name, _)| name);
    let pages = pages.chain(["SUMMARY.md".to_owned(), "../../README.md".to_owned()]);
    for page in pages {
        let broken = broken_links(&root().join("docs/src").join(&page));
        assert!(broken.is_empty(), "{page}: {broken:?}");
    }
    let page = tempfile::NamedTempFile::new().unwrap();
    fs::write(&page, "# A b\n[1](#a-b) [2](#c) [3](none.md)\n").unwrap();
    assert_eq!(broken_links(page.path()), ["#c", "none.md"]);
}

#[test]
fn a_page_is_refused_where_a_block_could_go_untested() {
    for (page, words) in [
        ("```sh\nls\n```", "nothing else"),
        (
            "<!-- needs: mnist -->\n```sh\nkiln list models\n```",
            "needs a smoke form",
        ),
        (
            "<!-- smoke: kiln eval a -->\n```sh\nkiln train a\n```",
            "same verb",
        ),
        (
            "<!-- somke: kiln eval a -->\n```sh\nkiln eval a\n```",
            "neither smoke",
        ),
        ("```\n1\n```", "below no command"),
        ("```python\n1\n```", "no known kind"),
        (
            "<!-- exit: 2 -->\n\n```sh\nkiln list models\n```",
            "no block",
        ),
    ] {
        let fault = parts(page).unwrap_err();
        assert!(fault.contains(words), "{page}: {fault}");
    }
    for (page, words) in [
        ("```sh\nkiln list nothing\n```", "Some(2)"),
        ("```sh\nkiln train lenet\n```", "needs data"),
        (
            "<!-- smoke: kiln list models -->\n```sh\nkiln list nothing\n```\n```\nx\n```",
            "",
        ),
        (
            "```sh\nkiln conv --input 1 --kernel 2\n```\n```\noutput ... = 3\n```",
            "not printed",
        ),
    ] {
        let faults = faults(page, Form::Smoke).join("");
        assert!(faults.contains(words), "{page}: {faults}");
    }
    let expected = ["a ... c", "b"].map(str::to_owned);
    assert_eq!(missing(&expected, "  a x c\n\nb\n"), None);
    assert_eq!(missing(&expected, "a x c d\nb\n"), Some("a ... c"));
    assert_eq!(missing(&expected, "b\na x c\n"), Some("b"));
}

//! The HTML of a report.

use std::fmt::Write as _;

/// How it looks: figures on white cards, wide tables that scroll by themselves,
/// light or dark as the reader's system is.
const STYLE: &str = "
:root { color-scheme: light dark; --page: #f5f5f2; --ink: #222; --pale: #666; --line: #d8d8d4; --card: #fff; }
@media (prefers-color-scheme: dark) { :root { --page: #1b1c1f; --ink: #e6e6e3; --pale: #a0a09c; --line: #3b3d42; --card: #25272b; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 66rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 .3rem; overflow-wrap: anywhere; }
h2 { font-size: 1.3rem; margin: 2.5rem 0 .8rem; overflow-wrap: anywhere; }
h2.run { border-top: 2px solid var(--line); padding-top: 1.5rem; }
p.note { color: var(--pale); margin: 0; }
.table { overflow-x: auto; border: 1px solid var(--line); border-radius: 8px; background: var(--card); }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .92rem; width: 100%; }
th, td { padding: .35rem .8rem; text-align: left; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: anywhere; min-width: 7rem; }
tr:last-child td { border-bottom: 0; }
td:first-child { color: var(--pale); white-space: pre-wrap; }
figure { margin: 1rem 0; padding: .5rem; background: #fff; border: 1px solid var(--line); border-radius: 8px; overflow-x: auto; }
figure svg { display: block; max-width: 100%; height: auto; margin: 0 auto; }
details { border: 1px solid var(--line); border-radius: 8px; background: var(--card); padding: .5rem .8rem; }
summary { cursor: pointer; }
pre { overflow-x: auto; font-size: .85rem; }
nav { margin: .8rem 0 0; display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; }
a { color: inherit; }
@media (max-width: 40rem) { figure svg { min-width: 36rem; } }
@media print { body { background: #fff; color: #000; } figure { break-inside: avoid; } }
";

/// A page that grows downward.
pub struct Page {
    title: String,
    /// Anchors and names of the runs.
    runs: Vec<(String, String)>,
    body: String,
}

impl Page {
    pub fn new(title: &str) -> Self {
        Self {
            title: title.to_owned(),
            runs: Vec::new(),
            body: String::new(),
        }
    }

    pub fn section(&mut self, title: &str) {
        let _ = writeln!(self.body, "<h2>{}</h2>", escaped(title));
    }

    /// The heading of a run, to which the page's head has a link.
    pub fn run(&mut self, name: &str) {
        let anchor = format!("run{}", self.runs.len() + 1);
        let _ = writeln!(
            self.body,
            r#"<h2 class="run" id="{anchor}">{}</h2>"#,
            escaped(name)
        );
        self.runs.push((anchor, name.to_owned()));
    }

    pub fn paragraph(&mut self, text: &str) {
        let _ = writeln!(self.body, "<p>{}</p>", escaped(text));
    }

    pub fn list(&mut self, items: &[String]) {
        let items = items
            .iter()
            .map(|item| format!("<li>{}</li>", escaped(item)));
        let _ = writeln!(self.body, "<ul>{}</ul>", items.collect::<String>());
    }

    pub fn table(&mut self, head: &[&str], rows: &[Vec<String>]) {
        let cells = |tag: &str, cells: &mut dyn Iterator<Item = &str>| {
            let cells = cells.map(|cell| format!("<{tag}>{}</{tag}>", escaped(cell)));
            format!("<tr>{}</tr>", cells.collect::<String>())
        };
        let head = cells("th", &mut head.iter().copied());
        let rows = rows
            .iter()
            .map(|row| cells("td", &mut row.iter().map(String::as_str)));
        let _ = writeln!(
            self.body,
            r#"<div class="table"><table><thead>{head}</thead><tbody>{}</tbody></table></div>"#,
            rows.collect::<String>()
        );
    }

    /// An SVG file as a part of the page.
    pub fn figure(&mut self, svg: &str) {
        let _ = writeln!(self.body, "<figure>{}</figure>", svg.trim_end());
    }

    pub fn folded(&mut self, title: &str, text: &str) {
        let _ = writeln!(
            self.body,
            "<details><summary>{}</summary><pre>{}</pre></details>",
            escaped(title),
            escaped(text)
        );
    }

    pub fn finish(self) -> String {
        let links = self
            .runs
            .iter()
            .map(|(anchor, name)| format!(r##"<a href="#{anchor}">{}</a>"##, escaped(name)));
        let links = match self.runs.len() {
            0 | 1 => String::new(),
            _ => format!("<nav>{}</nav>\n", links.collect::<String>()),
        };
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n<p class=\"note\">kiln {version}</p>\n{links}{body}</main>\n</body>\n</html>\n",
            title = escaped(&self.title),
            version = env!("CARGO_PKG_VERSION"),
            body = self.body,
        )
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_and_runs_are_linked() {
        let mut page = Page::new("a <b>");
        page.run("one & two");
        page.run("three");
        page.table(&["", "x"], &[vec!["<i>".to_owned(), "1".to_owned()]]);
        let html = page.finish();
        assert!(!html.contains("<b>") && !html.contains("<i>"), "{html}");
        assert!(html.contains(r##"<a href="#run1">one &amp; two</a>"##));
        assert!(html.contains(r#"id="run2""#));
        assert!(!html.contains("<script") && !html.contains("http-equiv"));
    }
}

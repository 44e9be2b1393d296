//! A page of the book: the blocks that are tested, and what is said about them.

/// Commands, and what is said about them.
#[derive(Debug, Default, PartialEq)]
pub struct Block {
    pub line: usize,
    pub commands: Vec<String>,
    pub smoke: Vec<String>,
    pub needs: Vec<String>,
    pub exit: i32,
    pub output: Vec<String>,
}

/// What a chapter holds, in its order.
#[derive(Debug, PartialEq)]
pub enum Part {
    File { name: String, text: String },
    Commands(Block),
}

/// The commands of a page and what is said about them.
pub fn parts(text: &str) -> Result<Vec<Part>, String> {
    let mut parts: Vec<Part> = Vec::new();
    let mut notes: Vec<(&str, &str)> = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        let wrong = |what: &str| Err(format!("line {}: {what}", at + 1));
        if let Some(note) = line.strip_prefix("<!-- ") {
            let note = note.strip_suffix(" -->").and_then(|n| n.split_once(": "));
            let Some(note) = note else {
                return wrong("a comment is <!-- KEY: VALUE --> on one line");
            };
            notes.push(note);
            continue;
        }
        let Some(language) = line.strip_prefix("```") else {
            if !notes.is_empty() {
                return wrong("a comment stands above what is no block");
            }
            continue;
        };
        let inside = lines.by_ref().map(|(_, line)| line);
        let body: Vec<_> = inside.take_while(|line| *line != "```").collect();
        let notes = std::mem::take(&mut notes);
        match (language, notes.as_slice()) {
            ("sh", notes) => parts.push(Part::Commands(commands(at + 1, &body, notes)?)),
            ("toml", [("file", name)]) => parts.push(Part::File {
                name: (*name).to_owned(),
                text: body.join("\n"),
            }),
            ("", []) => match parts.last_mut() {
                Some(Part::Commands(block)) if block.output.is_empty() => {
                    block.output = body.into_iter().map(str::to_owned).collect();
                }
                _ => return wrong("an output stands below no command"),
            },
            ("text", []) => {}
            _ => return wrong("this block, or a comment above it, is of no known kind"),
        }
    }
    Ok(parts)
}

fn commands(line: usize, body: &[&str], notes: &[(&str, &str)]) -> Result<Block, String> {
    let wrong = |what: &str| Err(format!("line {line}: {what}"));
    let mut block = Block {
        line,
        commands: body.iter().map(|line| (*line).to_owned()).collect(),
        ..Block::default()
    };
    for (key, value) in notes {
        match *key {
            "smoke" => block.smoke.push((*value).to_owned()),
            "needs" => block.needs.push((*value).to_owned()),
            "exit" => block.exit = value.parse().unwrap_or(-1),
            _ => return wrong("a comment says neither smoke, needs nor exit"),
        }
    }
    let verb = |line: &String| line.split(' ').nth(1).map(str::to_owned);
    if body.is_empty() || !body.iter().all(|line| line.starts_with("kiln ")) {
        return wrong("a block of sh holds kiln commands, one a line, and nothing else");
    }
    if block.smoke.is_empty() && !block.needs.is_empty() {
        return wrong("what needs data needs a smoke form");
    }
    let alike = || {
        let verbs = block.commands.iter().map(verb);
        verbs.eq(block.smoke.iter().map(verb))
    };
    if !block.smoke.is_empty() && !alike() {
        return wrong("there is one smoke form for each command, of the same verb");
    }
    Ok(block)
}

//! Any text as an agent list, alone and behind a sound header: an error that names the file, or a
//! list with a training agent that is the same when it is written out and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tamis_consent::signals::AgentList;

const BEGINNING: &str = "agent,operator,purpose,note\nA,Example,training,\n";

fn written(list: &AgentList) -> String {
    let mut csv = String::from("agent,operator,purpose,note\n");
    for agent in list.agents() {
        let purpose = agent.purpose.as_str();
        for (field, end) in [
            (agent.agent.as_str(), ','),
            (&agent.operator, ','),
            (purpose, ','),
            (&agent.note, '\n'),
        ] {
            csv.push_str(&format!("\"{}\"{end}", field.replace('"', "\"\"")));
        }
    }
    csv
}

fuzz_target!(|input: &str| {
    for text in [input.to_owned(), format!("{BEGINNING}{input}")] {
        let list = match AgentList::from_csv("any.csv", &text) {
            Ok(list) => list,
            Err(error) => {
                assert!(error.to_string().starts_with("any.csv, line "), "{error}");
                continue;
            }
        };
        assert!(list.training().next().is_some());
        let csv = written(&list);
        let again = AgentList::from_csv("again.csv", &csv).expect("a list");
        assert_eq!(list.agents(), again.agents());
        // An agent stands once, in whatever case.
        let first = list.agents()[0].agent.to_ascii_uppercase();
        let twice = format!("{csv}{first},Example,search,\n");
        AgentList::from_csv("twice.csv", &twice).expect_err("an agent twice");
    }
});

//! Crawlers by name: which product tokens fetch for training.

use std::sync::LazyLock;

use tamis_resource::{Identity, ResourceError, Result};

use super::robots::product_token;

/// The columns of an agent list, all of them required.
pub const AGENT_COLUMNS: [&str; 4] = ["agent", "operator", "purpose", "note"];

/// What an agent fetches for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AgentPurpose {
    /// To train models, or for corpora that models are trained on.
    Training,
    /// To build a search index, also one that an assistant searches.
    Search,
    /// At the moment a user asks for it.
    User,
    /// To keep what the web was like.
    Archive,
}

impl AgentPurpose {
    const ALL: [(&'static str, Self); 4] = [
        ("training", Self::Training),
        ("search", Self::Search),
        ("user", Self::User),
        ("archive", Self::Archive),
    ];

    /// `training`, `search`, `user` or `archive`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Training => "training",
            Self::Search => "search",
            Self::User => "user",
            Self::Archive => "archive",
        }
    }
}

/// One agent of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedAgent {
    /// Its product token, as its operator writes it.
    pub agent: String,
    /// Who runs it.
    pub operator: String,
    /// What it fetches for.
    pub purpose: AgentPurpose,
    /// Anything else, may be empty.
    pub note: String,
}

/// The agents whose robots.txt rules are looked at.
///
/// A site that disallows the training crawlers it knows has reserved its content against
/// training, whoever fetched the copy at hand; which those are is data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentList {
    agents: Vec<ListedAgent>,
    identity: Identity,
}

impl AgentList {
    /// The embedded list, `builtin:opt_out_agents`.
    pub fn builtin() -> &'static Self {
        static BUILTIN: LazyLock<AgentList> = LazyLock::new(|| {
            AgentList::from_csv(
                "builtin:opt_out_agents",
                include_str!("../../data/agents.csv"),
            )
            .expect("the embedded agent list is valid")
        });
        &BUILTIN
    }

    /// Reads a list: CSV with the header `agent,operator,purpose,note`, in any order.
    ///
    /// # Errors
    /// Malformed, with the line, for a header without these columns or with others, a line of
    /// another number of fields, an agent that is no product token (RFC 9309 §2.2.1, digits
    /// and dots allowed) or stands twice in whatever case, an empty operator, an unknown
    /// purpose, and a list without a training agent.
    pub fn from_csv(uri: &str, text: &str) -> Result<Self> {
        let malformed = |line: u64, message: String| ResourceError::Malformed {
            uri: uri.to_owned(),
            location: format!("line {line}"),
            message,
        };
        let content = text.strip_prefix('\u{FEFF}').unwrap_or(text);
        let mut reader = csv::ReaderBuilder::new()
            .trim(csv::Trim::All)
            .from_reader(content.as_bytes());
        let unreadable = |error: csv::Error| {
            let line = error.position().map_or(1, csv::Position::line);
            malformed(line, error.to_string())
        };
        let header = reader.headers().map_err(unreadable)?.clone();
        let columns = AGENT_COLUMNS.map(|name| header.iter().position(|column| column == name));
        let [Some(agent), Some(operator), Some(purpose), Some(note)] = columns else {
            let wanted = AGENT_COLUMNS.join(",");
            return Err(malformed(1, format!("the header is not {wanted}")));
        };
        if header.len() != AGENT_COLUMNS.len() {
            let wanted = AGENT_COLUMNS.join(",");
            return Err(malformed(
                1,
                format!("the header has columns besides {wanted}"),
            ));
        }
        let mut agents: Vec<ListedAgent> = Vec::new();
        for row in reader.records() {
            let row = row.map_err(unreadable)?;
            let line = row.position().map_or(1, csv::Position::line);
            let entry = read_row(&row, [agent, operator, purpose, note])
                .map_err(|message| malformed(line, message))?;
            if agents
                .iter()
                .any(|known| known.agent.eq_ignore_ascii_case(&entry.agent))
            {
                return Err(malformed(line, format!("'{}' stands twice", entry.agent)));
            }
            agents.push(entry);
        }
        let list = Self {
            agents,
            identity: Identity::of_bytes(uri, "", text.as_bytes()),
        };
        if list.training().next().is_none() {
            return Err(malformed(1, "no agent has the purpose training".to_owned()));
        }
        Ok(list)
    }

    /// Which list this is.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// All agents, in the order of the list.
    pub fn agents(&self) -> &[ListedAgent] {
        &self.agents
    }

    /// The agents that fetch for training.
    pub fn training(&self) -> impl Iterator<Item = &ListedAgent> {
        self.agents
            .iter()
            .filter(|agent| agent.purpose == AgentPurpose::Training)
    }
}

fn read_row(row: &csv::StringRecord, columns: [usize; 4]) -> Result<ListedAgent, String> {
    let [agent, operator, purpose, note] = columns.map(|column| &row[column]);
    if agent == "*" || agent.contains('/') || product_token(agent.as_bytes()).is_none() {
        return Err(format!("the agent '{agent}' is not a product token"));
    }
    if operator.is_empty() {
        return Err(format!("'{agent}' has no operator"));
    }
    let known = AgentPurpose::ALL.iter().find(|(name, _)| *name == purpose);
    let purpose = known.map(|(_, purpose)| *purpose).ok_or_else(|| {
        let names = AgentPurpose::ALL.map(|(name, _)| name).join(", ");
        format!("unknown purpose '{purpose}'; known: {names}")
    })?;
    Ok(ListedAgent {
        agent: agent.to_owned(),
        operator: operator.to_owned(),
        purpose,
        note: note.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn builtin_names_the_training_crawlers() {
        let list = AgentList::builtin();
        let training: Vec<&str> = list.training().map(|agent| agent.agent.as_str()).collect();
        for agent in [
            "GPTBot",
            "ClaudeBot",
            "CCBot",
            "Google-Extended",
            "Bytespider",
        ] {
            assert!(training.contains(&agent), "{agent}");
        }
        for agent in ["OAI-SearchBot", "ChatGPT-User", "Googlebot"] {
            assert!(!training.contains(&agent), "{agent}");
        }
        assert_eq!(list.identity().uri, "builtin:opt_out_agents");
        for (name, purpose) in AgentPurpose::ALL {
            assert_eq!(purpose.as_str(), name);
        }
    }

    #[test]
    fn columns_in_any_order() {
        let text = "\u{FEFF}note,purpose,agent,operator\n\"a, b\",training, ABot ,Example\n";
        let list = AgentList::from_csv("a.csv", text).expect("valid");
        let agent = &list.agents()[0];
        assert_eq!((&*agent.agent, &*agent.note), ("ABot", "a, b"));
    }

    #[test]
    fn mistakes_are_named_by_line() {
        for (rows, message) in [
            ("", "line 1: no agent has the purpose training"),
            (
                "A Bot,X,training,",
                "line 2: the agent 'A Bot' is not a product token",
            ),
            (
                "*,X,training,",
                "line 2: the agent '*' is not a product token",
            ),
            ("A,X,training,\nB,,search,", "line 3: 'B' has no operator"),
            ("A,X,training,\na,X,search,", "line 3: 'a' stands twice"),
            (
                "A,X,train,",
                "line 2: unknown purpose 'train'; known: training, search, user, archive",
            ),
        ] {
            let text = format!("agent,operator,purpose,note\n{rows}\n");
            let error = AgentList::from_csv("a.csv", &text).expect_err(rows);
            assert_eq!(error.to_string(), format!("a.csv, {message}"));
        }
        let error = AgentList::from_csv("a.csv", "agent,operator\nA,X\n").expect_err("header");
        assert_eq!(
            error.to_string(),
            "a.csv, line 1: the header is not agent,operator,purpose,note"
        );
        let more = "agent,operator,purpose,note\nA,X,training\n";
        let error = AgentList::from_csv("a.csv", more).expect_err("fields");
        assert!(error.to_string().starts_with("a.csv, line 2: "), "{error}");
    }
}

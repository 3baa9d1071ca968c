//! Which agents of a list a file tells apart.

use super::{AgentGroup, Robots, Scope, product_token};

impl Robots {
    /// The numbers, from 0, of agents that stand for all of `agents`: the first of each set
    /// that the same groups apply to. What holds for them holds for every agent of the list.
    ///
    /// Most files have rules for `*` alone, so one agent stands for all. What is no product
    /// token stands for itself, as it is disallowed everywhere.
    pub fn agents_apart<'a>(&self, agents: impl IntoIterator<Item = &'a str>) -> Vec<u32> {
        let mut known: Vec<Option<*const AgentGroup>> = Vec::new();
        let mut apart = Vec::new();
        for (number, agent) in agents.into_iter().enumerate() {
            let groups = match product_token(agent.as_bytes()) {
                None => None,
                // Where the status decided there are no groups.
                Some(_) if self.scope != Scope::Rules => Some(std::ptr::null()),
                // Groups of one token lie side by side: where they begin tells them apart.
                Some(token) => match self.groups_of(token) {
                    [] => Some(std::ptr::null()),
                    groups => Some(groups.as_ptr()),
                },
            };
            if !known.contains(&groups) {
                known.push(groups);
                apart.push(number as u32);
            }
        }
        apart
    }
}

#[cfg(test)]
mod tests {
    use super::Robots;

    #[test]
    fn one_agent_for_each_set_of_groups() {
        let apart = |text: &str, agents: &[&str]| {
            Robots::parse(text.as_bytes()).agents_apart(agents.iter().copied())
        };
        let agents = ["GPTBot", "CCBot", "ClaudeBot/1.0", "no token", "gptbot"];
        assert_eq!(apart("", &agents), [0, 3]);
        assert_eq!(apart("User-agent: *\nDisallow: /a", &agents), [0, 3]);
        let text = "User-agent: ccbot\nUser-agent: claudebot\nDisallow: /\n";
        assert_eq!(apart(text, &agents), [0, 1, 2, 3]);
        let text = "User-agent: gptbot\nDisallow: /a\n\nUser-agent: *\nDisallow: /b\n";
        assert_eq!(apart(text, &agents), [0, 1, 3]);
        assert_eq!(apart(text, &[]), [0_u32; 0]);
        let gone = Robots::of_status(Some(404), b"User-agent: ccbot\nDisallow: /");
        assert_eq!(gone.agents_apart(["GPTBot", "CCBot"]), [0]);
    }
}

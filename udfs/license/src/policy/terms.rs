//! What one rule of a policy states, held against one use.

use super::Verdict;

/// A permission a licence gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Permission {
    /// Given.
    Allowed,
    /// Given under conditions that a corpus does not meet by itself.
    Conditional,
    /// Not given.
    Denied,
}

impl Permission {
    /// `allowed`, `conditional` or `denied`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Conditional => "conditional",
            Self::Denied => "denied",
        }
    }
}

/// What a use can ask about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Attribute {
    Commercial,
    Derivatives,
    AiTraining,
    Attribution,
    ShareAlike,
    Network,
    Notice,
    SourceDisclosure,
    FieldOfUse,
}

impl Attribute {
    fn describe(self) -> &'static str {
        match self {
            Self::Commercial => "commercial use",
            Self::Derivatives => "making derivatives",
            Self::AiTraining => "AI training",
            Self::Attribution => "attribution",
            Self::ShareAlike => "share-alike",
            Self::Network => "disclosure to users over a network",
            Self::Notice => "its notice to be kept",
            Self::SourceDisclosure => "source disclosure",
            Self::FieldOfUse => "limits on the field of use",
        }
    }

    /// Whether it is something a licence gives, not something it asks for.
    pub(super) fn is_permission(self) -> bool {
        matches!(
            self,
            Self::Commercial | Self::Derivatives | Self::AiTraining
        )
    }
}

/// A use case.
#[derive(Debug, Clone)]
pub(super) struct Use {
    /// Permissions that must be there: denied is deny, conditional is review.
    pub(super) needs: Vec<Attribute>,
    /// Permissions that are not simply given, or duties that apply, and that mean review.
    pub(super) review_on: Vec<Attribute>,
}

/// What a rule says of its licences.
#[derive(Debug, Clone)]
pub(super) enum Terms {
    /// A person decides, and why.
    Review(String),
    Stated(Statement),
}

/// Permissions given and duties asked for.
#[derive(Debug, Clone)]
pub(super) struct Statement {
    pub(super) commercial: Permission,
    pub(super) derivatives: Permission,
    pub(super) ai_training: Permission,
    pub(super) attribution: bool,
    pub(super) share_alike: bool,
    pub(super) network: bool,
    pub(super) notice: bool,
    pub(super) source_disclosure: bool,
    pub(super) field_of_use: bool,
}

impl Statement {
    /// A permission as it is given; a duty that applies counts as a condition.
    fn permission(&self, attribute: Attribute) -> Permission {
        let duty = |applies: bool| match applies {
            true => Permission::Conditional,
            false => Permission::Allowed,
        };
        match attribute {
            Attribute::Commercial => self.commercial,
            Attribute::Derivatives => self.derivatives,
            Attribute::AiTraining => self.ai_training,
            Attribute::Attribution => duty(self.attribution),
            Attribute::ShareAlike => duty(self.share_alike),
            Attribute::Network => duty(self.network),
            Attribute::Notice => duty(self.notice),
            Attribute::SourceDisclosure => duty(self.source_disclosure),
            Attribute::FieldOfUse => duty(self.field_of_use),
        }
    }
}

impl Terms {
    /// The verdict for a use, and what stands against it.
    pub(super) fn judge(&self, case: &Use) -> (Verdict, Option<String>) {
        let statement = match self {
            Self::Review(why) => return (Verdict::Review, Some(why.clone())),
            Self::Stated(statement) => statement,
        };
        let denied = case
            .needs
            .iter()
            .find(|need| statement.permission(**need) == Permission::Denied);
        if let Some(denied) = denied {
            return (
                Verdict::Deny,
                Some(format!("{} is denied", denied.describe())),
            );
        }
        let open = case
            .needs
            .iter()
            .chain(&case.review_on)
            .find(|attribute| statement.permission(**attribute) != Permission::Allowed);
        let Some(open) = open else {
            return (Verdict::Allow, None);
        };
        let why = match (open.is_permission(), statement.permission(*open)) {
            (false, _) => format!("asks for {}", open.describe()),
            (true, Permission::Denied) => format!("{} is denied", open.describe()),
            (true, _) => format!("{} is conditional", open.describe()),
        };
        (Verdict::Review, Some(why))
    }

    /// The duties of the licence, sorted.
    pub(super) fn obligations(&self) -> Vec<&'static str> {
        let Self::Stated(statement) = self else {
            return Vec::new();
        };
        [
            (statement.attribution, "attribution"),
            (statement.field_of_use, "field-of-use"),
            (statement.network, "network-disclosure"),
            (
                statement.derivatives == Permission::Denied,
                "no-derivatives",
            ),
            (statement.commercial == Permission::Denied, "non-commercial"),
            (statement.notice, "notice"),
            (statement.share_alike, "share-alike"),
            (statement.source_disclosure, "source-disclosure"),
        ]
        .into_iter()
        .filter_map(|(applies, name)| applies.then_some(name))
        .collect()
    }
}

//! Which names a formula may use, by where it stands.

/// Someone or some place that an event, or a choice, gives a part to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// `self`: the actor that a rule or process belongs to; the perpetrator in effects and metrics; the observer in the weight
    /// of a suspect.
    SelfActor,
    /// Who truly did it.
    Perpetrator,
    /// Whom it was done to.
    Target,
    /// Where the event takes place; the only role, with a [`Role::Candidate`] over places, that is a place.
    Place,
    /// On whose ground the event takes place.
    Host,
    /// Who has claimed it.
    Claimant,
    /// Who stands behind it.
    Sponsor,
    /// Whom `self` believes responsible.
    Blamed,
    /// Whom a selector is looking at.
    Candidate,
}

impl Role {
    /// Every role, in the order of declaration.
    pub const ALL: [Self; 9] = [
        Self::SelfActor,
        Self::Perpetrator,
        Self::Target,
        Self::Place,
        Self::Host,
        Self::Claimant,
        Self::Sponsor,
        Self::Blamed,
        Self::Candidate,
    ];

    /// How a formula writes the role.
    pub fn name(self) -> &'static str {
        match self {
            Self::SelfActor => "self",
            Self::Perpetrator => "perpetrator",
            Self::Target => "target",
            Self::Place => "place",
            Self::Host => "host",
            Self::Claimant => "claimant",
            Self::Sponsor => "sponsor",
            Self::Blamed => "blamed",
            Self::Candidate => "candidate",
        }
    }

    /// The role that a formula writes as `name`.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// What a `candidate` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CandidateKind {
    /// An actor.
    Actor,
    /// A place.
    Place,
}

/// What a formula may see. Parameters, ids of actors, places and sets, and `rungs.*` are visible everywhere.
///
/// The constructors are the scopes of the scenario language; [`Scope::with_candidate`] adds what selectors see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scope {
    /// Who is looking, for messages: "a rule", "an initial value".
    pub subject: &'static str,
    /// The roles, as a set of bits; see [`Scope::sees`].
    roles: u16,
    /// Whether `event.*` is visible.
    pub event: bool,
    /// Whether metrics are visible.
    pub metrics: bool,
    /// Whether stocks are visible.
    pub stocks: bool,
    /// Whether `rung[a, b]` is visible.
    pub rungs: bool,
    /// Whether `time` is visible.
    pub time: bool,
    /// Who `self` is, when that is known at load: reads of its stocks are then as fast as those of a named actor.
    pub fixed_self: Option<u32>,
    /// What `candidate` is, where it is visible.
    pub candidate: CandidateKind,
}

const TRUE_ROLES: [Role; 7] = [
    Role::SelfActor,
    Role::Perpetrator,
    Role::Target,
    Role::Place,
    Role::Host,
    Role::Claimant,
    Role::Sponsor,
];

impl Scope {
    /// Parameters only: priors, initial values, half lives, distributions of an action.
    pub fn parameters(subject: &'static str) -> Self {
        Self {
            subject,
            roles: 0,
            event: false,
            metrics: false,
            stocks: false,
            rungs: false,
            time: false,
            fixed_self: None,
            candidate: CandidateKind::Actor,
        }
    }

    /// Stocks, rungs and time: calendar guards, timelines, `peak`, `final`.
    pub fn state(subject: &'static str) -> Self {
        Self {
            stocks: true,
            rungs: true,
            time: true,
            ..Self::parameters(subject)
        }
    }

    /// A process of the actor `actor`: its hazard, and the options of its choice.
    pub fn process(actor: u32) -> Self {
        Self {
            fixed_self: Some(actor),
            ..Self::state("a process").with_roles(&[Role::SelfActor])
        }
    }

    /// A rule of the actor `actor`, which sees an event as that actor does.
    pub fn rule(actor: u32) -> Self {
        Self {
            event: true,
            fixed_self: Some(actor),
            ..Self::state("a rule").with_roles(&[
                Role::SelfActor,
                Role::Target,
                Role::Place,
                Role::Host,
                Role::Claimant,
                Role::Blamed,
            ])
        }
    }

    /// Effects of an action, and the `when` of its rung moves: the true roles; `self` is the perpetrator.
    pub fn effects() -> Self {
        Self {
            event: true,
            ..Self::state("an effect").with_roles(&TRUE_ROLES)
        }
    }

    /// The weight of a suspect: the true roles; `self` is the observer.
    pub fn suspect() -> Self {
        Self {
            subject: "the weight of a suspect",
            ..Self::effects()
        }
    }

    /// The `where` and `sum` of a metric: the true roles; `self` is the perpetrator.
    pub fn metric_event() -> Self {
        Self {
            subject: "a metric of events",
            ..Self::effects()
        }
    }

    /// The `value` of a metric: other metrics and parameters.
    pub fn metric_value() -> Self {
        Self {
            metrics: true,
            ..Self::parameters("the value of a metric")
        }
    }

    /// Endgames and flags: metrics, and stocks and rungs at the end of the run.
    pub fn endgame() -> Self {
        Self {
            metrics: true,
            ..Self::state("an endgame")
        }
    }

    /// Adds roles.
    pub fn with_roles(mut self, roles: &[Role]) -> Self {
        for role in roles {
            self.roles |= 1 << *role as u16;
        }
        self
    }

    /// Adds `candidate`, known only when the formula runs.
    pub fn with_candidate(mut self, kind: CandidateKind) -> Self {
        self.candidate = kind;
        self.with_roles(&[Role::Candidate])
    }

    /// Whether a role is visible.
    pub fn sees(&self, role: Role) -> bool {
        self.roles & (1 << role as u16) != 0
    }

    /// What to write in place of a role that is not visible.
    pub(super) fn instead_of(&self, role: Role) -> String {
        match role {
            Role::Perpetrator | Role::Sponsor if self.sees(Role::Blamed) => {
                "use `blamed`, whom this actor believes responsible".to_owned()
            }
            Role::Perpetrator if self.sees(Role::SelfActor) && self.fixed_self.is_some() => {
                "use `self`: this actor is who acts".to_owned()
            }
            Role::Blamed if self.sees(Role::Perpetrator) => {
                "use `perpetrator`: the truth is known here".to_owned()
            }
            Role::Candidate => {
                "`candidate` exists in the `weight`, `most` and `when` of a selector with `among`"
                    .to_owned()
            }
            Role::SelfActor => "name the actor".to_owned(),
            Role::Place => "name the place; there is no event here".to_owned(),
            _ => "name the actor; there is no event here".to_owned(),
        }
    }
}

/// What is asked before something is taken away: the template `question` reads it.
struct Question: Sendable {
    struct Field: Sendable {
        let name: String
        let value: String
    }

    /// For instance «Take Omar's access to Contoso away?».
    let question: String
    let sentences: [String]
    /// What would be stopped; nil where nobody can tell.
    let outlook: OutlookView?
    /// Where the answer is sent.
    let action: String
    /// What the form said, sent again with the answer.
    let fields: [Field]
    let button: String
    /// The page that the form stood on.
    let origin: String

    init(
        _ question: String, _ sentences: [String], outlook: OutlookView? = nil, action: String,
        _ form: FormBody, button: String, origin: String
    ) {
        self.question = question
        self.sentences = sentences
        self.outlook = outlook
        self.action = action
        fields = form.pairs.filter { $0.name != "csrf" && $0.name != "confirm" }.map {
            Field(name: $0.name, value: $0.value)
        }
        self.button = button
        self.origin = origin
    }

    func page(_ section: SitePage.Section) -> SitePage {
        SitePage(template: "question", title: question, section: section, content: self)
    }
}

extension FormBody {
    /// Whether the question was answered with yes.
    var isConfirmed: Bool { self["confirm"] == "yes" }
}

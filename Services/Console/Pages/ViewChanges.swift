import JSON
import Operations
import Store

/// Keeping the filter at hand under a name, and removing one: through the Starter, as the person.
struct ViewChanges: Sendable {
    let views: SavedViews
    let starter: StarterClient

    func change(_ form: FormBody, _ visit: Visit) async throws -> Outcome {
        switch form["change"] {
        case "keep": try await keep(form, visit)
        case "remove": try await remove(form, visit)
        default: throw Fault.invalid("Choose what to do with the view: keep it, or remove it.")
        }
    }

    private func keep(_ form: FormBody, _ visit: Visit) async throws -> Outcome {
        let (name, query) = (form["name"] ?? "", form["q"] ?? "")
        let back = Link.operations(query)
        guard !query.isEmpty else { throw Fault.invalid("Filter the list first: that is what is kept.") }
        let answer = await starter.send(
            "POST", "/v1/views", ["name": .string(name), "query": .string(query)], as: visit.secret)
        guard answer.isSuccess else {
            let problems = answer.problems(["/name": "The name", "/query": "The filter"])
            return Outcome(path: back, notice: Notice(.bad, problems.joined(separator: " ")))
        }
        return Outcome(path: back, notice: Notice(.good, "«\(name)» is kept: it stands above the list."))
    }

    private func remove(_ form: FormBody, _ visit: Visit) async throws -> Outcome {
        let own = try await views.views(of: visit.principal.userID)
        guard let id = form["view"].flatMap({ SavedViewID($0) }), let view = own.first(where: { $0.id == id })
        else { throw Fault.notFound }
        let answer = await starter.send("DELETE", "/v1/views/\(id)", as: visit.secret)
        return Outcome(
            path: SitePage.Section.operations.href,
            notice: answer.isSuccess
                ? Notice(.good, "«\(view.name)» was removed.") : Notice(.bad, answer.detail))
    }
}

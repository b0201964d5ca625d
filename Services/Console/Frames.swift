import HTTPTypes
import HummingbirdCore
import Mustache
import ServiceKit
import Store

/// The look that a person has chosen.
enum Theme: String, Sendable {
    case system, light, dark

    init(_ text: String?) { self = text.flatMap(Theme.init(rawValue:)) ?? .system }

    /// What the button changes to.
    var next: Theme {
        switch self {
        case .system: .dark
        case .dark: .light
        case .light: .system
        }
    }
}

/// Renders pages into the frame that they share.
struct Frames: Sendable {
    /// What the templates see.
    private struct Frame {
        struct Item {
            let label: String
            let href: String
            let isCurrent: Bool
            /// Whether it leads to the inbox, whose unread entries are counted beside it.
            let isInbox: Bool
        }

        struct NoticeView {
            let tone: String
            let icon: String
            let text: String
            let label: String?
            let href: String?
        }

        let title: String
        let styles: String
        let script: String
        let icon: String
        let theme: String
        let nextTheme: String
        let items: [Item]
        let unread: String
        let person: String
        let csrf: String
        let back: String
        let notice: NoticeView?
        let isLive: Bool
        let isSignedIn: Bool
        let version: String
        let page: any Sendable
    }

    private let library: MustacheLibrary
    private let assets: Assets

    /// Throws when a template can't be read.
    init(assets: Assets) throws {
        library = try Templates.library()
        self.assets = assets
    }

    /// The whole page. `unread` counts what the person has not read in the inbox; nil when nobody can tell.
    func render(
        _ page: SitePage, for visit: Visit, notice: Notice?, theme: Theme, unread: Int?
    ) -> String {
        let items = SitePage.Section.allCases.map { section in
            Frame.Item(
                label: section.label, href: section.href, isCurrent: section == page.section,
                isInbox: section == .notifications)
        }
        return render(
            page.template,
            frame(
                page, items: items, unread: unread, person: visit.principal.name,
                csrf: visit.seal.formToken,
                back: visit.request.method == .get ? visit.address : "", notice: notice, theme: theme))
    }

    /// A page for somebody who is not signed in.
    func render(outside page: SitePage) -> String {
        render(
            page.template,
            frame(page, items: [], person: "", csrf: "", back: "", notice: nil, theme: .system))
    }

    /// A part that stands by itself.
    func renderPart(_ template: String, _ content: any Sendable) -> String {
        guard let text = library.render(content, withTemplate: template) else {
            preconditionFailure("there is no template \(template)")
        }
        return text
    }

    /// What of a page changes by itself. Its forms say themselves where they lead back to.
    func renderLive(_ page: SitePage, for visit: Visit) -> String {
        render(
            page.template + "-live",
            frame(
                page, items: [], person: visit.principal.name, csrf: visit.seal.formToken,
                back: "", notice: nil, theme: .system))
    }

    private func render(_ template: String, _ frame: Frame) -> String {
        guard let text = library.render(frame, withTemplate: template) else {
            preconditionFailure("there is no template \(template)")
        }
        return text
    }

    private func frame(
        _ page: SitePage, items: [Frame.Item], unread: Int? = nil, person: String,
        csrf: String, back: String, notice: Notice?, theme: Theme
    ) -> Frame {
        Frame(
            title: page.title, styles: assets.paths["console.css"] ?? "",
            script: assets.paths["console.js"] ?? "", icon: assets.paths["icon.svg"] ?? "",
            theme: theme.rawValue, nextTheme: theme.next.rawValue, items: items,
            unread: unread.map(UnreadCount.text) ?? "", person: person, csrf: csrf,
            back: back,
            notice: notice.map { notice in
                Frame.NoticeView(
                    tone: notice.tone.rawValue, icon: notice.tone == .good ? "✓" : "✗", text: notice.text,
                    label: notice.link?.label, href: notice.link?.href)
            }, isLive: page.isLive, isSignedIn: !csrf.isEmpty, version: BuildInfo.version, page: page.content)
    }
}

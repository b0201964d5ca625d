/// A page to be rendered: a template and what it shows.
struct SitePage: Sendable {
    /// Where it belongs in the navigation.
    enum Section: String, Sendable, CaseIterable {
        case overview, operations, tenants, connections, me

        var label: String {
            switch self {
            case .overview: "Overview"
            case .operations: "Operations"
            case .tenants: "Tenants"
            case .connections: "Connections"
            case .me: "You"
            }
        }

        var href: String {
            switch self {
            case .overview: "/admin"
            case .operations: "/admin/operations"
            case .tenants: "/admin/tenants"
            case .connections: "/admin/provider-connections"
            case .me: "/admin/me"
            }
        }
    }

    let template: String
    let title: String
    let section: Section?
    /// What the template reads as `page`.
    let content: any Sendable
    /// Whether it changes by itself: then the template `<template>-live` is sent again whenever it says something new.
    var isLive = false
}

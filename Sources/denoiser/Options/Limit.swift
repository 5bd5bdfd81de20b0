import ArgumentParser

/// What an option says of a limit, and which member of `ServiceLimits` it sets.
///
/// An `@Option` of this type declares a limit whole: the name is that of the property, the default
/// that of the member.
struct Limit: Sendable {
    /// The member that the option sets.
    enum Member: Sendable {
        case number(any LimitPath<Int>)
        /// A number whose default is not known before the service starts.
        case choice(any LimitPath<Int?>)
    }

    let member: Member

    /// The number given, or the default; nil leaves a choice open.
    let value: Int?

    /// The parts of the memory plan that grow with the limit.
    let memory: Set<MemoryPart>

    /// Puts the number into `limits`.
    func set(_ limits: inout ServiceLimits) {
        switch member {
        case .number(let path): if let value { limits[keyPath: path] = value }
        case .choice(let path): limits[keyPath: path] = value
        }
    }
}

/// A member of `ServiceLimits`.
typealias LimitPath<Value> = WritableKeyPath<ServiceLimits, Value> & Sendable

/// A part of the memory plan, by its name there.
enum MemoryPart: String {
    case computeThreads = "compute threads"
    case connections = "connections"
    case requestThreads = "request threads"
    case uploads = "uploads"
    case training = "training"
    /// The bodies, the parsing and the answers of requests, which share what is left.
    case requests = "bodies"
}

extension Option where Value == Limit {
    /// A limit within `bounds`; the help tells its default.
    ///
    /// - Parameters:
    ///   - member: what the option sets; its value in `ServiceLimits.standard` is the default.
    ///   - memory: the parts of the memory plan that grow with the limit.
    ///   - standard: the default in words, if a number does not tell it.
    init(
        _ bounds: ClosedRange<Int>, _ member: any LimitPath<Int>,
        memory: Set<MemoryPart> = [], help: String, standard: String? = nil,
        valueName: String? = nil
    ) {
        let value = ServiceLimits.standard[keyPath: member]
        let limit = Limit(member: .number(member), value: value, memory: memory)
        let told = standard.map { "\(help) (default: \($0))." } ?? "\(help) (default: \(value))"
        self.init(limit, bounds, ArgumentHelp(.init(told), valueName: valueName))
    }

    /// A limit within `bounds` that is open if the option is left out.
    init(
        _ bounds: ClosedRange<Int>, choice member: any LimitPath<Int?>,
        help: String, valueName: String? = nil
    ) {
        let limit = Limit(member: .choice(member), value: nil, memory: [])
        self.init(limit, bounds, ArgumentHelp(.init(help), valueName: valueName))
    }

    private init(_ limit: Limit, _ bounds: ClosedRange<Int>, _ help: ArgumentHelp) {
        let read = whole(bounds)
        self.init(
            wrappedValue: limit, help: help,
            transform: {
                Limit(member: limit.member, value: try read($0), memory: limit.memory)
            })
    }
}

internal import JSON

/// One step on the way to a wrong value: a member's name or an element's index.
enum LocationPart: Sendable, Equatable {
    case name(String)
    case index(Int)
}

extension LocationPart: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral {
    init(stringLiteral value: String) { self = .name(value) }
    init(integerLiteral value: Int) { self = .index(value) }
}

/// What is wrong with one value of a request.
struct ValidationIssue: Sendable, Equatable {
    /// What is wrong.
    let type: IssueType

    /// The way to the value, from "body" on.
    let location: [LocationPart]

    /// The value that came, as JSON.
    var input = null

    /// JSON's `null`, in one array for all issues that quote nothing.
    static let null = Array("null".utf8)

    /// Appends the issue as FastAPI's JSON object, with its members in FastAPI's order.
    func write(into body: inout [UInt8]) {
        body.append(contentsOf: #"{"type":"#.utf8)
        appendJSON(type.name, to: &body)
        body.append(contentsOf: #","loc":"#.utf8)
        JSONValue.array(location.map(\.value)).write(into: &body)
        body.append(contentsOf: #","msg":"#.utf8)
        appendJSON(type.message, to: &body)
        body.append(contentsOf: #","input":"#.utf8)
        body.append(contentsOf: input)
        if let context = type.context {
            body.append(contentsOf: #","ctx":"#.utf8)
            context.write(into: &body)
        }
        body.append(UInt8(ascii: "}"))
    }
}

extension LocationPart {
    fileprivate var value: JSONValue {
        switch self {
        case .name(let name): .string(name)
        case .index(let index): .integer(index)
        }
    }
}

/// What can be wrong with a value, in pydantic's names and words.
enum IssueType: Sendable, Equatable {
    case missing
    case invalidJSON(String)
    case notAnObject
    case notAList
    case notAString
    case notABool
    case notANumber
    case notANumberText
    case notUnicode
    case belowZero
    case notAFile
    // The reference accepts what follows: Tests/Conformance lists the differences.
    case notFinite
    case wrongRowLength(expected: Int, given: Int)
    case tooManyItems(given: Int, limit: Int)
    case noItems
    case tooLarge
    case unusableFile(String)

    /// Pydantic's error type.
    var name: String {
        switch self {
        case .missing: "missing"
        case .invalidJSON: "json_invalid"
        case .notAnObject: "model_attributes_type"
        case .notAList: "list_type"
        case .notAString: "string_type"
        case .notABool: "bool_type"
        case .notANumber: "float_type"
        case .notANumberText: "float_parsing"
        case .notUnicode: "string_unicode"
        case .belowZero: "greater_than_equal"
        case .notFinite: "finite_number"
        case .wrongRowLength, .tooLarge, .notAFile, .unusableFile: "value_error"
        case .tooManyItems: "too_long"
        case .noItems: "too_short"
        }
    }

    /// The sentence for people.
    var message: String {
        switch self {
        case .missing: "Field required"
        case .invalidJSON: "JSON decode error"
        case .notAnObject: "Input should be a valid dictionary or object to extract fields from"
        case .notAList: "Input should be a valid list"
        case .notAString: "Input should be a valid string"
        case .notABool: "Input should be a valid boolean"
        case .notANumber: "Input should be a valid number"
        case .notANumberText:
            "Input should be a valid number, unable to parse string as a number"
        case .notUnicode:
            "Input should be a valid string, unable to parse raw data as a unicode string"
        case .belowZero: "Input should be greater than or equal to 0"
        case .notAFile: "Value error, Expected UploadFile, received: <class 'str'>"
        case .notFinite: "Input should be a finite number"
        case .wrongRowLength(let expected, let given):
            "Value error, expected \(expected) values, got \(given)"
        case .tooManyItems(let given, let limit):
            "List should have at most \(limit) items after validation, not \(given)"
        case .noItems: "List should have at least 1 item after validation, not 0"
        case .tooLarge: "Value error, the values are too large to denoise"
        case .unusableFile(let reason): "Value error, \(reason)"
        }
    }

    /// Values that the message is made of; nil if FastAPI lists none.
    var context: JSONValue? {
        switch self {
        case .invalidJSON(let error): ["error": .string(error)]
        case .belowZero: ["ge": 0.0]
        // Pydantic puts an exception here, of which FastAPI's encoder makes an empty object.
        case .notAFile: ["error": [:]]
        case .tooManyItems(let given, let limit):
            [
                "field_type": "List", "max_length": .integer(limit),
                "actual_length": .integer(given),
            ]
        case .noItems: ["field_type": "List", "min_length": 1, "actual_length": 0]
        default: nil
        }
    }
}

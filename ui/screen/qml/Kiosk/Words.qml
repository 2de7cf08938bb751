import QtQuick
import Kiosk.ViewModels

// Every text of the screen. Silent: its button says it already, or it is never said aloud (room, name). Plain text only: a guest's name is never markup. Never cut short: it wraps.
Text {
    property bool strong: false
    property bool silent: false

    Accessible.ignored: silent
    Accessible.name: text
    Accessible.role: Accessible.StaticText

    color: Theme.ink
    font.pixelSize: Theme.body
    font.weight: strong ? Font.Bold : Font.Normal
    textFormat: Text.PlainText
    wrapMode: Text.WordWrap
}

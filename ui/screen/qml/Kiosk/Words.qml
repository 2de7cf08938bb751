import QtQuick
import Kiosk.ViewModels

// Every text of the screen. Plain text only: a guest's name is never markup. Never cut short: it wraps.
Text {
    property bool strong: false

    color: Theme.ink
    font.pixelSize: Theme.body
    font.weight: strong ? Font.Bold : Font.Normal
    textFormat: Text.PlainText
    wrapMode: Text.WordWrap
}

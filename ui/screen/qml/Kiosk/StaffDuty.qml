pragma ComponentBehavior: Bound

import QtQuick
import Kiosk.ViewModels

// How the outbox stands, one line for each figure: a glyph says from a step away which of them is not well.
Column {
    id: root

    required property SheetViewModel viewModel

    spacing: Theme.gap
    topPadding: Theme.gap * 2

    Repeater {
        model: root.viewModel.duty

        Item {
            id: figure

            required property string code
            required property string label
            required property string value

            height: Math.max(name.implicitHeight, stands.implicitHeight)
            width: root.width

            Glyph {
                id: glyph

                path: figure.code === "good" ? Glyphs.yes : figure.code === "warn" ? Glyphs.clock : Glyphs.no
                size: Theme.body
                tone: figure.code === "good" ? Theme.accent : figure.code === "warn" ? Theme.amber : Theme.red
                y: (name.implicitHeight - height) / 2
            }

            Words {
                id: name

                anchors.left: glyph.right
                anchors.leftMargin: Theme.gap
                color: Theme.muted
                text: figure.label
                width: root.width * 0.3
            }

            Words {
                id: stands

                anchors.left: name.right
                anchors.leftMargin: Theme.gap
                anchors.right: parent.right
                objectName: "duty_" + figure.code
                strong: figure.code === "bad"
                text: figure.value
            }
        }
    }
}

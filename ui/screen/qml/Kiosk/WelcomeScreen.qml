pragma ComponentBehavior: Bound

import QtQuick
import Kiosk.ViewModels

GuestScreen {
    id: root

    required property WelcomeViewModel viewModel

    // A moon gate with a view: as large as the words below leave room for.
    Item {
        id: view

        anchors.bottom: greeting.top
        anchors.bottomMargin: Theme.gap * 2
        anchors.top: parent.top
        width: parent.width

        BreathingRing {
            anchors.centerIn: gate
            height: width
            visible: gate.visible
            width: gate.width + Theme.gap * 4
        }

        Picture {
            id: gate

            anchors.centerIn: parent
            fill: "M134 42 A15 15 0 1 1 133.99 42 Z"
            ground: "M41.4 176 A96 96 0 1 1 158.6 176 Z"
            height: width
            solid: "M84 148 C94 153 110 153 120 148 L116 155 C108 158 96 158 88 155 Z M59 40 C69 38 79 44 84 54 C73 55 63 50 59 40 Z M64 58 C72 60 78 68 79 78 C70 75 64 67 64 58 Z M62 52 C58 62 50 68 40 69 C43 59 51 52 62 52 Z M54 28 C48 36 39 40 30 39 C35 31 44 27 54 28 Z"
            strokes: "M41.4 176 A96 96 0 1 1 158.6 176 M12 176 H188 M22 138 C42 108 58 100 74 120 C86 94 106 82 126 112 C140 100 158 112 177 136"
            thin: "M50 18 C62 40 68 60 62 92 M134 42 A15 15 0 1 1 133.99 42 M30 146 H72 M130 146 H168 M48 160 H78 M124 162 H152 M102 148 V128 L114 143 H102"
            visible: width > Theme.mm * 40
            width: Math.min(parent.height - Theme.gap * 5, Theme.panelHeight * 0.31)
        }
    }

    Column {
        id: greeting

        anchors.bottom: controls.top
        anchors.bottomMargin: Theme.gap * (Theme.elder ? 3 : 8)
        anchors.left: controls.left
        anchors.right: controls.right
        spacing: Theme.gap

        Words {
            Accessible.role: Accessible.Heading
            font.pixelSize: Theme.title
            horizontalAlignment: Text.AlignHCenter
            objectName: "heading"
            strong: true
            text: root.viewModel.heading
            width: parent.width
        }

        Words {
            color: Theme.muted
            font.pixelSize: Theme.lead
            horizontalAlignment: Text.AlignHCenter
            text: root.viewModel.lead
            visible: text !== ""
            width: parent.width
        }
    }

    Column {
        id: controls

        anchors.bottom: parent.bottom
        anchors.bottomMargin: Theme.gap * 3
        anchors.left: parent.left
        anchors.leftMargin: Theme.margin
        anchors.right: parent.right
        anchors.rightMargin: Theme.margin
        spacing: Theme.gap * 1.5

        Notice {
            objectName: "offersNotice"
            path: Glyphs.clock
            warning: true
            width: parent.width
            words: root.viewModel.notice
        }

        BigButton {
            available: root.viewModel.canStart
            height: Math.max(implicitHeight, Theme.button * 1.8)
            hint: root.viewModel.startOther
            label: root.viewModel.startWords
            large: true
            main: true
            objectName: "startButton"
            width: parent.width

            onTapped: root.viewModel.start()
        }

        Column {
            spacing: Theme.gap * 0.5
            visible: root.viewModel.canStart
            width: parent.width

            Words {
                color: Theme.muted
                horizontalAlignment: Text.AlignHCenter
                text: root.viewModel.present
                width: parent.width
            }

            Words {
                color: Theme.muted
                horizontalAlignment: Text.AlignHCenter
                objectName: "noCode"
                text: root.viewModel.noCode
                width: parent.width
            }
        }

        BigButton {
            hint: root.viewModel.elderHint
            label: root.viewModel.elder
            objectName: "elderButton"
            width: parent.width

            onTapped: root.viewModel.switchElder()
        }

        Item {
            height: Theme.gap * 0.5
            width: parent.width
        }

        Grid {
            id: offers

            anchors.horizontalCenter: parent.horizontalCenter
            columnSpacing: Theme.gap * (Theme.elder ? 8 : 3.5)
            columns: Theme.elder ? 2 : 4
            rowSpacing: Theme.gap * 0.5

            Repeater {
                model: root.viewModel.offers

                Item {
                    id: offer

                    required property string code
                    required property string label
                    required property string value

                    Accessible.name: value
                    Accessible.role: Accessible.StaticText
                    height: offered.height
                    width: offered.width

                    Row {
                        id: offered

                        spacing: Theme.gap * 0.6

                        Glyph {
                            anchors.verticalCenter: parent.verticalCenter
                            path: offer.code === "yes" ? Glyphs.yes : Glyphs.no
                            size: Theme.body
                            tone: offer.code === "yes" ? Theme.accent : Theme.amber
                        }

                        Words {
                            silent: true
                            color: Theme.muted
                            text: offer.label
                            wrapMode: Text.NoWrap
                        }
                    }
                }
            }
        }
    }
}
